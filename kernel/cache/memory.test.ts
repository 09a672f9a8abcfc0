import { equal } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock } from "../base/index.ts";
import { createMemoryCache } from "./memory.ts";

test("a value is there until its moment, and gone from then on", async () => {
  const clock = createManualClock();
  const cache = createMemoryCache<string>({ clock, maxEntries: 10 });
  cache.set("key", "value", clock.nowMs() + 1_000);
  await clock.advance(999);
  equal(cache.get("key"), "value");
  await clock.advance(1);
  equal(cache.get("key"), undefined);
});

test("a value that has expired already is not kept, and replaces what was there", () => {
  const clock = createManualClock();
  const cache = createMemoryCache<string>({ clock, maxEntries: 10 });
  cache.set("key", "old", clock.nowMs() + 1_000);
  cache.set("key", "new", clock.nowMs());
  equal(cache.get("key"), undefined);
});

test("over the number of entries the least recently used goes", () => {
  const clock = createManualClock();
  const cache = createMemoryCache<number>({ clock, maxEntries: 2 });
  cache.set("a", 1, Infinity);
  cache.set("b", 2, Infinity);
  cache.get("a");
  cache.set("c", 3, Infinity);
  equal(cache.get("a"), 1);
  equal(cache.get("b"), undefined);
  equal(cache.get("c"), 3);
});

test("over the bytes the least recently used goes, and what is too large alone is not kept", () => {
  const clock = createManualClock();
  const cache = createMemoryCache<string>({ clock, maxEntries: 100, bytes: { max: 10, of: (value) => value.length } });
  cache.set("a", "12345", Infinity);
  cache.set("b", "1234", Infinity);
  cache.set("c", "123", Infinity);
  equal(cache.get("a"), undefined);
  equal(cache.get("b"), "1234");
  cache.set("d", "12345678901", Infinity);
  equal(cache.get("d"), undefined);
  equal(cache.get("c"), "123");
});

test("a deleted value is gone, and the cache answers a ping", async () => {
  const cache = createMemoryCache<undefined | null>({ clock: createManualClock(), maxEntries: 10 });
  cache.set("key", null, Infinity);
  equal(cache.get("key"), null);
  cache.delete("key");
  equal(cache.get("key"), undefined);
  equal(await cache.ping(), 0);
});
