// What was read once and may be read again.

// Answers that a commit must be able to take back.
export { createCache, createEntries, type Cache, type CacheOptions, type Entry } from "./cache.ts";
export type { CacheRule } from "./rule.ts";
export { createRedisStore } from "./redis-store.ts";
export type { SharedStore } from "./shared-store.ts";
export { pruneMarks } from "./marks.ts";

// Facts that end at a moment known from the start, such as a verified token.
export { createMemoryCache, type MemoryCache, type MemoryCacheOptions } from "./memory.ts";

/** The tables of this folder, for `migrate`. */
export const cacheMigrations = { name: "ashlar.cache", directory: new URL("./migrations/", import.meta.url) };
