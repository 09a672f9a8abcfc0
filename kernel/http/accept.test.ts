import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../contract/index.ts";
import { negotiate } from "./accept.ts";

const version = (accept: string) => negotiate(accept).version;
const acceptable = (accept: string) => negotiate(accept).acceptable;
const errorFormat = (accept: string) => negotiate(accept).errorFormat;

test("no preference means JSON and no version", () => {
  const plain = { errorFormat: "json", acceptable: true, version: undefined };
  deepEqual(negotiate(undefined), plain);
  for (const accept of ["", "*/*", "application/json", "application/*", " , ,", "Application/JSON; charset=utf-8"]) {
    deepEqual(negotiate(accept), plain, accept);
  }
});

test("a version is read from both media types, quoted or not, in any case", () => {
  equal(version("application/vnd.api+json;version=2"), 2);
  equal(version("application/json; version=2"), 2);
  equal(version('application/json ;VERSION="2"; q=0.5'), 2);
  equal(version("text/html, application/vnd.api+json;version=3, */*;q=0.1"), 3);
});

test("the version comes from the range the client likes best, then from the most specific", () => {
  equal(version("application/json;version=1;q=0.5, application/json;version=2"), 2);
  equal(version("application/json, application/json;version=2"), 2);
  equal(version("application/json, application/vnd.api+json;version=2;q=0.5"), undefined);
  equal(version("application/json;version=3;q=0"), undefined);
  equal(version("application/*;version=3"), undefined);
});

test("a version that no API has is invalid, not ignored", () => {
  for (const value of ["0", "-1", "02", "abc", "1.0", "99999", '""']) {
    equal(version(`application/json;version=${value}`), "invalid", value);
  }
});

test("what JSON does not match is not acceptable", () => {
  for (const accept of [
    "text/html",
    "text/*",
    "application/xml",
    "application/json;q=0",
    "application/json;q=0, */*",
    "*/*;q=0",
    "application/hal+json",
  ]) {
    equal(acceptable(accept), false, accept);
  }
  for (const accept of [
    "text/html, */*;q=0.1",
    "application/problem+json",
    "application/vnd.api+json",
    "application/json;q=0.001",
  ]) {
    equal(acceptable(accept), true, accept);
  }
});

test("problem details are chosen only when preferred to JSON", () => {
  equal(errorFormat("application/problem+json"), "problem");
  equal(errorFormat("application/problem+json, */*"), "problem");
  equal(errorFormat("application/problem+json, application/json;q=0.9"), "problem");
  equal(errorFormat("application/problem+json;q=0.5, text/html"), "problem");
  equal(errorFormat("application/json, application/problem+json"), "json");
  equal(errorFormat("application/problem+json;q=0.5, application/json"), "json");
  equal(errorFormat("application/problem+json;q=0.5, */*"), "json");
  equal(errorFormat("application/problem+json;q=0, text/html"), "json");
});

test("the header Java has always sent is understood", () => {
  equal(acceptable("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"), true);
});

test("a broken header is refused with 400 that names it", () => {
  for (const accept of [
    "application",
    "application/",
    "/json",
    "*/json",
    "a b/c",
    "application/json;q=2",
    "application/json;q=0.1234",
    "application/json;q=x",
    'application/json;version="2',
    "application/json text/html",
    "a/b;c",
  ]) {
    throws(
      () => negotiate(accept),
      (error: unknown) => error instanceof Failure && error.status === 400 && error.details[0]?.field === "Accept",
      accept,
    );
  }
});

test("any header is read or refused, and a long one quickly", () => {
  const piece = fc.constantFrom(
    "application/json",
    "*/*",
    ",",
    ";",
    "q=0.5",
    "version=2",
    '"',
    "\\",
    " ",
    "=",
    "*",
    "/",
    "\u00e9",
  );
  fc.assert(
    fc.property(fc.string({ unit: piece }), (accept) => {
      try {
        negotiate(accept);
        return true;
      } catch (error) {
        return error instanceof Failure && error.status === 400;
      }
    }),
    { numRuns: 2_000 },
  );
  const startedMs = performance.now();
  for (const accept of [
    ";".repeat(50_000),
    "a/b,".repeat(12_000),
    `a/b;c="${"\\".repeat(50_000)}`,
    " ".repeat(50_000),
    "*".repeat(50_000),
  ]) {
    try {
      negotiate(accept);
    } catch (error) {
      ok(error instanceof Failure);
    }
  }
  ok(performance.now() - startedMs < 250);
});
