// Values kept in this process: bounded by number and, where sizes are told, by bytes. The least recently used go first.
//
// Expiry is a moment, not a duration, and is checked against the given clock when a value is read:
// what an outside fact limits (the `exp` of a token) ends exactly then.

import { LRUCache } from "lru-cache";
import type { Clock } from "../base/index.ts";

export interface MemoryCacheOptions<V> {
  clock: Clock;
  maxEntries: number;
  /** Bounds the bytes too. `of` estimates what one entry takes; an entry over the bound is not kept. */
  bytes?: { max: number; of(value: V, key: string): number };
}

export interface MemoryCache<V> {
  get(key: string): V | undefined;
  set(key: string, value: V, expiresAtMs: number): void;
  delete(key: string): void;
  /** The latency in ms, as the health check asks every cache for it. */
  ping(): Promise<number>;
}

interface Entry<V> {
  value: V;
  expiresAtMs: number;
}

export function createMemoryCache<V>({ clock, maxEntries, bytes }: MemoryCacheOptions<V>): MemoryCache<V> {
  const entries = new LRUCache<string, Entry<V>>({
    max: maxEntries,
    ...(bytes && {
      maxSize: bytes.max,
      sizeCalculation: ({ value }, key) => Math.max(1, Math.ceil(bytes.of(value, key))),
    }),
  });
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (entry.expiresAtMs > clock.nowMs()) return entry.value;
      entries.delete(key);
      return undefined;
    },
    set(key, value, expiresAtMs) {
      if (expiresAtMs > clock.nowMs()) entries.set(key, { value, expiresAtMs });
      else entries.delete(key);
    },
    delete(key) {
      entries.delete(key);
    },
    ping: async () => 0,
  };
}
