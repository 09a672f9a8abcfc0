import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "./random.ts";

test("what is drawn ahead is given out once, whatever lengths are asked for", () => {
  const lengths = [16, 8, 10, 64, 1, 65, 5_000];
  const drawn = Array.from({ length: 7_000 }, (_, index) => systemRandom.bytes(lengths[index % lengths.length]!));
  for (const [index, bytes] of drawn.entries()) assert.equal(bytes.length, lengths[index % lengths.length]);
  const long = drawn.filter(({ length }) => length >= 8).map((bytes) => Buffer.from(bytes).toString("hex"));
  assert.equal(new Set(long.map((hex) => hex.slice(0, 16))).size, long.length);
});
