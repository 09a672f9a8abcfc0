import { deepEqual, equal, match, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { JsonError, parseJson } from "./json.ts";

const refused = (text: string, why: RegExp) =>
  throws(
    () => parseJson(text),
    (error) => error instanceof JsonError && why.test(error.message),
    text.slice(0, 40),
  );
const inexact = /range that can be represented exactly/;

test("what JSON.parse reads is read the same, or refused for a number that a double cannot hold", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 2 }), (value) => {
      const text = JSON.stringify(value);
      if (/\\u0000|__proto__/.test(text)) return;
      try {
        deepEqual(parseJson(text), JSON.parse(text));
      } catch (error) {
        match((error as Error).message, inexact, text);
      }
    }),
  );
});

test("a number is read when a double holds all its digits, however it is written", () => {
  for (const text of ["0", "-0", "0.30", "1e2", "1E+2", "100e-2", "9007199254740991", "0.1000000000000000", "1.50e-3"])
    equal(parseJson(text), Number(text), text);
  equal(parseJson(`1.${"0".repeat(5_000)}`), 1);
  equal(parseJson(`0.${"0".repeat(20)}1`), 1e-21);
  for (const text of ["9007199254740992", "0.12345678901234567890", "1e400", "-1e400", "1e-400", "123456789012345678"])
    refused(text, inexact);
});

// With a pattern that looked for zeros at the end from each of them, this took 25 minutes.
test("N05 N11 a megabyte of one number is refused while it is read once", () => {
  const zeros = "0".repeat(2 ** 20);
  for (const text of [
    `1${zeros}1`,
    `[1${zeros}1]`,
    `0.${zeros}1${zeros}1`,
    `-${"1".repeat(2 ** 20)}`,
    `1e${zeros}9${zeros}`,
  ])
    refused(text, inexact);
});

test("N11 a body holds at most 20,000 values, whichever they are", () => {
  const list = (item: string, count: number) => `[${Array.from({ length: count }, () => item).join()}]`;
  for (const item of ["1", '""', "null", "[]", "{}"]) {
    equal((parseJson(list(item, 9_999)) as unknown[]).length, 9_999);
    refused(list(item, 20_001), /at most 20000 values/);
  }
  const keys = (count: number) => `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join()}}`;
  equal(Object.keys(parseJson(keys(9_999)) as object).length, 9_999);
  refused(keys(10_001), /at most 10000 keys/);
  refused(`{"a":${keys(9_999)},"b":${keys(9_999)},"c":${keys(9)}}`, /at most 20000 values/);
});
