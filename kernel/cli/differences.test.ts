import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { differences } from "./differences.ts";

test("what is new, gone and changed is named with its place", () => {
  const before = { info: { version: "1" }, paths: { "/v1/notes": { get: {} } }, tags: ["a", "b"] };
  const after = { info: { version: "2" }, paths: { "/v1/notes": { post: {} } }, tags: ["a", "c"] };
  deepEqual(differences(before, after), [
    '~ info.version: "1" -> "2"',
    '- paths["/v1/notes"].get',
    '+ paths["/v1/notes"].post',
    '~ tags[1]: "b" -> "c"',
  ]);
});

test("documents that say the same have no differences", () => {
  deepEqual(differences({ a: [1, { b: null }] }, { a: [1, { b: null }] }), []);
});

test("a document that is no JSON differs as a whole, in a short line", () => {
  deepEqual(differences(undefined, { text: "x".repeat(100) }), [
    `~ the document: nothing -> {"text":"${"x".repeat(51)}...`,
  ]);
});
