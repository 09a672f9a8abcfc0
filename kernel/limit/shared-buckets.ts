// Buckets that several processes share exactly, in the store they are all connected to.

import { hash } from "node:crypto";
import { createScript, type Redis } from "../redis/index.ts";
import { type Decision, decisionOf, type Policy } from "./bucket.ts";
import { storeTimeMs, takeScript } from "./take-script.ts";

/** Takes from the bucket that these words name; the cost must be one that can pass. Rejects when the store is down or refuses. */
export type TakeShared = (policy: Policy, words: readonly string[], cost: number) => Promise<Decision>;

/** `nowMs` is the Lua expression of the time; the store's own, but for tests. */
export function createSharedBuckets(redis: Redis, nowMs = storeTimeMs): TakeShared {
  const script = createScript(takeScript(nowMs));
  return async (policy, words, cost) => {
    const { maxRequests, windowMs } = policy;
    const key = keyOf(policy, words);
    const answer = await redis.ask((client) => script(client, [key], [maxRequests, windowMs, cost]));
    const [allowed, units, atMs] = answer as Answer;
    return decisionOf(policy, { units: Number(units), atMs: Number(atMs) }, cost, allowed === 1);
  };
}

type Answer = [allowed: number, units: string, atMs: string];

/**
 * Whatever the words hold (they come from clients: line ends, braces, a megabyte), the key has 43 harmless characters
 * behind its prefix. The policy is one of the words, since units of one cannot be read as units of another:
 * after a change of the setting everybody begins with a full bucket.
 */
function keyOf({ maxRequests, windowMs }: Policy, words: readonly string[]): string {
  return `ashlar:limit:${hash("sha256", JSON.stringify([maxRequests, windowMs, ...words]), "base64url")}`;
}
