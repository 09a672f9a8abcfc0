import { equal, match, notEqual } from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "../base/index.ts";
import { createRequestIds } from "./request-id.ts";

test("a harmless request id is kept, any other replaced", () => {
  const idOf = createRequestIds(systemRandom);
  equal(idOf("abc-DEF_1.2"), "abc-DEF_1.2");
  const ids = new Set<string>();
  for (let count = 0; count < 200; count++) ids.add(idOf(undefined));
  equal(ids.size, 200);
  for (const header of ["", "a b", "a\n", "a".repeat(129), "ü", "a, b", ["a", "b"]]) {
    match(idOf(header), /^[0-9a-f]{32}$/);
    notEqual(idOf(header), header);
  }
});
