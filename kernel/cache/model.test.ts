// Millions of steps of readers, writers, looks and losses in any order; see model/.

import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { type CacheOptions, createCache, type Entry } from "./cache.ts";
import { createMemoryCache } from "./memory.ts";
import { literalCacheAside } from "./model/literal-cache-aside.ts";
import { play, type Subject } from "./model/play.ts";
import type { World } from "./model/world.ts";

const fiveMinutesMs = 5 * 60_000;

const settled = () => new Promise<void>((resolve) => void setImmediate(resolve));

function cacheOf(world: World, index: number): Subject {
  // The clocks of the processes are five minutes apart.
  const clock = { nowMs: () => world.nowMs + index * fiveMinutesMs, sleep: async () => {} };
  const entries = createMemoryCache<Entry>({ clock, maxEntries: 1_000 });
  const options: CacheOptions = { name: "model", db: world.db, entries, clock };
  const { cached, invalidate, look } = createCache(options);
  return {
    read: (key, tags, load) => cached(key, { tags, ttlMs: 2_000, staleMs: 3_000, negativeMs: 500 }, load),
    changing: invalidate,
    changed: async () => {},
    look,
  };
}

test("in a million steps in any order no reader gets what is older than it was told, or than a second", async () => {
  const { stale, reads, loads, commits } = await play({
    seed: 1,
    steps: 1_000_000,
    processes: 3,
    subjectOf: cacheOf,
    settled,
  });
  deepEqual(stale.slice(0, 1), []);
  ok(commits > 5_000, `${commits} commits`);
  ok(loads < reads / 2, `${loads} loads for ${reads} reads: the cache must have been used`);
});

test("the cache-aside of the specification fails the same test", async () => {
  const { stale, reads } = await play({ seed: 1, steps: 20_000, processes: 1, subjectOf: literalCacheAside, settled });
  ok(stale.length > 0, `${reads} reads`);
});
