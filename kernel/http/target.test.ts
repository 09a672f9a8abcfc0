import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../contract/index.ts";
import { parseTarget, targetBytesMax } from "./target.ts";

function status(code: number) {
  return (error: unknown) => error instanceof Failure && error.status === code;
}

test("a path is decoded once and the query keeps every value in order", () => {
  const { path, rawPath, query } = parseTarget("/v1/caf%C3%A9/%2541?a=1&b=x+y%2Bz&a=2&c");
  equal(path, "/v1/café/%41");
  equal(rawPath, "/v1/caf%C3%A9/%2541");
  deepEqual(Object.fromEntries(query), { a: ["1", "2"], b: ["x y+z"], c: [""] });
});

test("a trailing slash, the root, a colon and an empty query are kept as they are", () => {
  equal(parseTarget("/").path, "/");
  equal(parseTarget("/users/").path, "/users/");
  equal(parseTarget("/.well-known/jwks.json").path, "/.well-known/jwks.json");
  equal(parseTarget("/a:b;c=d/...").path, "/a:b;c=d/...");
  equal(parseTarget("/users?").query.size, 0);
  equal(parseTarget("/users?&&a=1&").query.size, 1);
});

for (const target of [
  "",
  "*",
  "users",
  "http://evil.test/",
  "evil.test:443",
  "//evil.test/x",
  "/v1//admin",
  "/v1/users//",
  "/\\evil.test/",
  "/v1/%5c",
  "/v1/a%2fb",
  "/v1/a%2Fb",
  "/v1/../admin",
  "/v1/.",
  "/v1/./x",
  "/v1/orders/%2e%2e/admin",
  "/v1/orders/%2E./admin",
  "/v1/orders/..%2fadmin",
  "/;/../x",
  "/v1/%00",
  "/v1/%0d%0aX:1",
  "/v1/%7f",
  "/v1/%C2%85",
  "/v1/%",
  "/v1/%4",
  "/v1/%zz",
  "/v1/%C0%AF",
  "/v1/%ED%A0%80",
  "/v1/%ff",
  "/v1/\u00fc",
  "/v1/a b",
  "/v1#x",
]) {
  test(`G05 G06 the target ${JSON.stringify(target)} is refused with 400`, () => {
    throws(() => parseTarget(target), status(400));
  });
}

test("G06 an over-encoded dot is data, not a dot segment", () => {
  equal(parseTarget("/v1/%252e%252e/x").path, "/v1/%2e%2e/x");
});

test("a target beyond 8 KiB is refused with 414", () => {
  equal(parseTarget(`/${"a".repeat(targetBytesMax - 1)}`).path.length, targetBytesMax);
  throws(() => parseTarget(`/${"a".repeat(targetBytesMax)}`), status(414));
});

test("every wrong parameter is named", () => {
  throws(
    () => parseTarget("/users?ok=1&a=%zz&b=%00&c=%ED%A0%80&d=%C0%80&%ff=1"),
    (error: unknown) => {
      ok(error instanceof Failure);
      equal(error.code, "VALIDATION_ERROR");
      deepEqual(
        error.details.map(({ field }) => field),
        ["a", "b", "c", "d", "%ff"],
      );
      return true;
    },
  );
});

test("a hundred parameters are read and one more is refused", () => {
  const pieces = Array.from({ length: 100 }, (_, index) => `p${index}=1`);
  equal(parseTarget(`/x?${pieces.join("&")}`).query.size, 100);
  throws(() => parseTarget(`/x?${pieces.join("&")}&more=1`), status(400));
});

test("N04 names of object prototypes are plain names", () => {
  const { query } = parseTarget("/x?__proto__=1&constructor=2&a[__proto__][x]=3");
  deepEqual([...query.keys()], ["__proto__", "constructor", "a[__proto__][x]"]);
  equal(({} as Record<string, unknown>)["x"], undefined);
});

test("G05 G06 whatever the target, the outcome is a safe path or a refusal below 500", () => {
  const hostile = fc.string({
    unit: fc.oneof(
      fc.constantFrom("/", ".", "..", "%2e", "%2f", "%5C", "%", "?", "&", "=", "+", "#", "\\", "%00", "%C3%A9", "%ff"),
      fc.string({ minLength: 1, maxLength: 1, unit: "binary" }),
    ),
  });
  fc.assert(
    fc.property(hostile, fc.boolean(), (text, rooted) => {
      let target;
      try {
        target = parseTarget(rooted ? `/${text}` : text);
      } catch (error) {
        return error instanceof Failure && error.status < 500;
      }
      const segments = target.path.split("/");
      ok(!target.path.includes("\\") && !target.path.includes("//") && target.path.isWellFormed());
      ok(!segments.includes(".") && !segments.includes(".."));
      return [...target.query.values()].flat().every((value) => value.isWellFormed() && !value.includes("\0"));
    }),
    { numRuns: 2_000 },
  );
});
