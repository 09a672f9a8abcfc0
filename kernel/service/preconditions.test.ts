import { deepEqual, doesNotThrow, throws } from "node:assert/strict";
import { test } from "node:test";
import { tagOf } from "./encode.ts";
import { checkExpected, readIfMatch } from "./preconditions.ts";

const status = (expected: number) => (error: unknown) => (error as { status: number }).status === expected;

test("If-Match names versions: of any representation and encoding, strong tags only", () => {
  deepEqual(readIfMatch(undefined), undefined);
  deepEqual(readIfMatch("*"), "*");
  deepEqual(readIfMatch('"3"'), [3]);
  deepEqual(readIfMatch('"3.v2", "4.br", "5.v1.1a2b3c4d.gzip"'), [3, 4, 5]);
  deepEqual(readIfMatch('W/"3", "x", "03", "3x", "-3", "3.", "99999999999", ""'), []);
  for (const header of ["3", "", "nonsense", '"open']) throws(() => readIfMatch(header), status(400), header);
});

test("a tag that was made is read back, whatever the version of the API, the fields and whether deleted rows show", () => {
  const tag = (version: number, fields?: string[], includeDeleted = false) =>
    tagOf(7, version, { fields, includeDeleted });
  const tags = [
    tag(1),
    tag(2),
    tag(1, ["id"]),
    tag(1, ["id", "name"]),
    tag(1, ["name", "id"]),
    tag(2, ["id"]),
    tag(1, undefined, true),
    tag(1, ["id"], true),
  ];
  deepEqual(new Set(tags).size, tags.length);
  for (const tag of tags) deepEqual(readIfMatch(tag), [7]);
});

test("a header that fails is 412, a body 409, and the header comes first", () => {
  const passing = [
    { ifMatch: undefined },
    { ifMatch: "*" },
    { ifMatch: [1, 3] },
    { ifMatch: "*", body: 3 },
    { ifMatch: undefined, body: 3 },
  ] as const;
  for (const expected of passing) doesNotThrow(() => checkExpected(expected, 3));
  for (const ifMatch of [[], [2]]) throws(() => checkExpected({ ifMatch, body: 2 }, 3), status(412));
  throws(() => checkExpected({ ifMatch: "*", body: 2 }, 3), status(409));
  throws(() => checkExpected({ ifMatch: [3], body: 4 }, 3), status(409));
});
