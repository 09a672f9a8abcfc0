// What several processes share, where REDIS_URL says so: the store, and the limits counted in it.

import { createLimiter, createSharedLimiter, type Limiter } from "../limit/index.ts";
import { openRedis, type Redis } from "../redis/index.ts";
import type { SystemOptions } from "./definition.ts";

/** Opened first and closed last: whatever is started may ask it. A system starts, and serves, without it. */
export async function openShared(
  { definition, settings, clock, log }: SystemOptions,
  undo: (() => Promise<unknown>)[],
): Promise<Redis | undefined> {
  if (settings.redisUrl === undefined) return undefined;
  const redis = await openRedis({ url: settings.redisUrl, name: definition.name, clock, log });
  undo.push(() => redis.close());
  return redis;
}

export function createLimits({ definition, settings, clock, log }: SystemOptions, redis: Redis | undefined): Limiter {
  const { limits: classes, limitShares: shares } = settings;
  if (redis === undefined) return createLimiter({ classes, clock });
  return createSharedLimiter({ classes, redis, app: definition.name, shares, clock, log });
}
