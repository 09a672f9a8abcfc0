// The store that several processes share: Valkey or Redis, which speak one protocol.
export { openRedis, type Redis, type RedisClient, type RedisOptions } from "./redis.ts";
export { createScript, type Script } from "./script.ts";
export { RedisDown } from "./redis-down.ts";
export { isRedisUrl } from "./redis-url.ts";
