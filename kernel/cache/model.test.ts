// Millions of steps of readers, writers, looks and losses in any order; see model/.

import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "../base/index.ts";
import { type CacheOptions, createCache, type Entry } from "./cache.ts";
import { createMemoryCache } from "./memory.ts";
import { literalCacheAside } from "./model/literal-cache-aside.ts";
import { play, type Subject } from "./model/play.ts";
import { unfaithfulStore } from "./model/unfaithful-store.ts";
import type { World } from "./model/world.ts";
import type { SharedStore } from "./shared-store.ts";

const fiveMinutesMs = 5 * 60_000;

const settled = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** A process with a clock of its own. While it waits for others it waits at a hop, like everybody. */
function cacheOf(world: World, index: number, shared?: SharedStore): Subject {
  const clock: Clock = {
    nowMs: () => world.nowMs + index * fiveMinutesMs,
    sleep: () => world.hop(),
    after: systemClock.after,
  };
  const entries = createMemoryCache<Entry>({ clock, maxEntries: 1_000 });
  const options: CacheOptions = { name: "model", db: world.db, entries, shared, clock };
  const { cached, invalidate, look } = createCache(options);
  return {
    read: (key, tags, load) => cached(key, { tags, ttlMs: 2_000, staleMs: 3_000, negativeMs: 500 }, load),
    changing: invalidate,
    changed: async () => {},
    look,
  };
}

test("in a million steps in any order no reader gets what is older than it was told, or than a second", async () => {
  const subjectOf = (world: World, index: number) => cacheOf(world, index);
  const { stale, reads, loads, commits } = await play({ seed: 1, steps: 1_000_000, processes: 3, subjectOf, settled });
  deepEqual(stale.slice(0, 1), []);
  ok(commits > 5_000, `${commits} commits`);
  ok(loads < reads / 2, `${loads} loads for ${reads} reads: the cache must have been used`);
});

test("nor does one with a shared store that loses, delays and brings back what it likes", async () => {
  const stores = new Map<World, SharedStore>();
  const subjectOf = (world: World, index: number) => {
    const store = stores.get(world) ?? unfaithfulStore(world);
    stores.set(world, store);
    const find: SharedStore["find"] = async (key, below) => {
      const found = await store.find(key, below);
      if (found.state === "kept") shared++;
      return found;
    };
    return cacheOf(world, index, { ...store, find });
  };
  let shared = 0;
  const { stale, reads } = await play({ seed: 3, steps: 500_000, processes: 3, subjectOf, settled });
  deepEqual(stale.slice(0, 1), []);
  ok(shared > 1_000, `${shared} times for ${reads} reads: the store must have been used`);
});

test("the cache-aside of the specification fails the same test", async () => {
  const { stale, reads } = await play({ seed: 1, steps: 20_000, processes: 1, subjectOf: literalCacheAside, settled });
  ok(stale.length > 0, `${reads} reads`);
});
