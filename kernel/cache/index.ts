// What was read once and may be read again.
export { createMemoryCache, type MemoryCache, type MemoryCacheOptions } from "./memory.ts";
