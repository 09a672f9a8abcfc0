// The cache-aside of the specification, word for word: read, else load and set; on a write, delete the key.
// Kept to show what the cache here is for: it fails the test that the cache passes.

import type { Subject } from "./play.ts";
import type { World } from "./world.ts";

export function literalCacheAside(world: World): Subject {
  const stored = new Map<string, string>();
  const cache = {
    async get(key: string) {
      await world.hop();
      return stored.get(key);
    },
    async set(key: string, value: string) {
      await world.hop();
      stored.set(key, value);
    },
    async del(key: string) {
      await world.hop();
      stored.delete(key);
    },
  };
  return {
    async read(key, _tags, load) {
      const cached = await cache.get(key);
      if (cached !== undefined) return JSON.parse(cached) as unknown;
      const value = await load();
      if (value !== undefined) await cache.set(key, JSON.stringify(value));
      return value;
    },
    changing() {},
    async changed(keys) {
      for (const key of [...keys, "all"]) await cache.del(key);
    },
    look: async () => {},
  };
}
