import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import type { ApiVersion } from "../contract/index.ts";
import { chooseVersion, splitPath, versionHeaders } from "./versions.ts";

const versions: readonly ApiVersion[] = [
  { number: 1, deprecatedAt: "2026-01-01T00:00:00Z", sunsetAt: "2026-07-01T00:00:00Z" },
  { number: 2 },
];
const nowMs = Date.parse("2026-03-01T00:00:00Z");
const nothing = { inPath: undefined, inAccept: undefined, inQuery: undefined };
const choose = (asked: Partial<Parameters<typeof chooseVersion>[1]>, atMs = nowMs) =>
  chooseVersion(versions, { ...nothing, ...asked }, atMs).number;
const refused = (status: number, code: string) => (error: unknown) =>
  (error as { status: number }).status === status && (error as { code: string }).code === code;

test("a path is split into its version and what contracts declare; a leading /api is dropped once", () => {
  const paths: [string, number | undefined, string][] = [
    ["/v1/users", 1, "/users"],
    ["/api/v2/users/x", 2, "/users/x"],
    ["/users", undefined, "/users"],
    ["/api/users", undefined, "/users"],
    ["/api/api/users", undefined, "/api/users"],
    ["/v0/users", 0, "/users"],
    ["/v01/users", undefined, "/v01/users"],
    ["/v1", undefined, "/v1"],
    ["/v/users", undefined, "/v/users"],
    ["/apiv1/users", undefined, "/apiv1/users"],
    ["/v99999999/users", undefined, "/v99999999/users"],
  ];
  for (const [path, inPath, rest] of paths) deepEqual(splitPath(path), { inPath, path: rest });
});

test("without a version it is the first; path, Accept and query may each name one, and agree", () => {
  equal(choose({}), 1);
  equal(choose({ inPath: 2 }), 2);
  equal(choose({ inAccept: 2 }), 2);
  equal(choose({ inQuery: ["2"] }), 2);
  equal(choose({ inPath: 2, inAccept: 2, inQuery: ["2"] }), 2);
});

test("two that disagree are 400; an unknown one is 404, 406 or 400 by its place", () => {
  throws(() => choose({ inPath: 1, inAccept: 2 }), refused(400, "INVALID_VERSION"));
  throws(() => choose({ inPath: 2, inQuery: ["1"] }), refused(400, "INVALID_VERSION"));
  throws(() => choose({ inQuery: ["1", "1"] }), refused(400, "INVALID_VERSION"));
  throws(() => choose({ inPath: 3 }), refused(404, "NOT_FOUND"));
  throws(() => choose({ inAccept: 3 }), refused(406, "NOT_ACCEPTABLE"));
  throws(() => choose({ inAccept: "invalid" }), refused(406, "NOT_ACCEPTABLE"));
  for (const version of ["3", "0", "", "1.0", "-1", "x", "01"])
    throws(() => choose({ inQuery: [version] }), refused(400, "INVALID_VERSION"), version);
});

test("from its sunset on a version is 410, at that very millisecond", () => {
  const sunsetMs = Date.parse("2026-07-01T00:00:00Z");
  equal(choose({ inPath: 1 }, sunsetMs - 1), 1);
  throws(() => choose({ inPath: 1 }, sunsetMs), refused(410, "GONE"));
  equal(choose({ inPath: 2 }, sunsetMs), 2);
});

test("a deprecated version says since when, until when and what follows; a living one says nothing", () => {
  deepEqual(versionHeaders(versions[0]!, "/v2/users"), {
    "api-version": "1",
    vary: "Accept",
    deprecation: "@1767225600",
    sunset: "Wed, 01 Jul 2026 00:00:00 GMT",
    link: '</v2/users>; rel="successor-version"',
  });
  deepEqual(versionHeaders(versions[1]!, undefined), { "api-version": "2", vary: "Accept" });
});
