import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { mergePatch } from "./merge-patch.ts";

test("the examples of RFC 7396, appendix A", () => {
  const examples: [target: unknown, patch: unknown, result: unknown][] = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of examples) deepEqual(mergePatch(target, patch), result);
});

test("what is merged into stays as it was, nested objects included", () => {
  const target = { a: { b: 1 }, c: [1] };
  mergePatch(target, { a: { b: 2, d: 3 }, c: null });
  deepEqual(target, { a: { b: 1 }, c: [1] });
});

test("N04 names of the prototype are members like any other", () => {
  const merged = mergePatch({}, { constructor: { name: "x" }, toString: 1 }) as Record<string, unknown>;
  deepEqual([merged.constructor, merged.toString], [{ name: "x" }, 1]);
  equal(({} as Record<string, unknown>).name, undefined);
});
