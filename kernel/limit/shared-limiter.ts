// Limits that hold for all processes together, and for each of them alone while the shared store is down.
//
// Without the store nobody can know what the others let through, so each process then grants its share of every
// limit, `auth` included: nothing is ever unlimited, and nobody is locked out. The buckets of the shares stay in
// memory when the store is back, so a store that comes and goes gives nobody a full share each time.

import type { Clock, Logger } from "../base/index.ts";
import { type Redis, RedisDown } from "../redis/index.ts";
import { checkCost, checkPolicy, type Policy } from "./bucket.ts";
import { createLimiter, type Limiter, policyOf } from "./limiter.ts";
import { createSharedBuckets } from "./shared-buckets.ts";

export interface SharedLimiterOptions {
  classes: Readonly<Record<string, Policy | "off">>;
  redis: Redis;
  /** Keeps the buckets of one app from those of another in the same store. */
  app: string;
  /** While the store is down this process grants one in `shares` of each limit. */
  shares: number;
  clock: Clock;
  log: Logger;
}

export function createSharedLimiter({ classes, redis, app, shares, clock, log }: SharedLimiterOptions): Limiter {
  const own = createLimiter({ classes: sharesOf(classes, shares), clock });
  const takeShared = createSharedBuckets(redis);
  let refusing = false;
  return {
    perOf: own.perOf,
    async take(className, key, cost = 1) {
      const policy = policyOf(classes, className);
      if (policy === "off") return undefined;
      checkCost(policy, cost);
      try {
        const decision = await takeShared(policy, [app, className, key], cost);
        refusing = false;
        return decision;
      } catch (error) {
        // That it is down, the connection has said. It may also be up and take no writes, because it is full.
        if (!(error instanceof RedisDown) && !refusing) {
          refusing = true;
          log.warn(
            { reason: (error as Error).message },
            "The shared store does not count: each process grants its share",
          );
        }
        // What costs more than the whole share passes when the share is full, and takes all of it.
        return own.take(className, key, Math.min(cost, shareOf(policy, shares).maxRequests));
      }
    },
  };
}

function sharesOf(classes: SharedLimiterOptions["classes"], shares: number): SharedLimiterOptions["classes"] {
  const own = Object.entries(classes).map(([name, policy]) => {
    if (policy !== "off") checkPolicy(policy);
    return [name, policy === "off" ? policy : shareOf(policy, shares)] as const;
  });
  return Object.fromEntries(own);
}

/** At least one request, so that nobody is locked out for as long as the store is down. */
function shareOf({ maxRequests, windowMs }: Policy, shares: number): Policy {
  return { maxRequests: Math.max(1, Math.floor(maxRequests / shares)), windowMs };
}
