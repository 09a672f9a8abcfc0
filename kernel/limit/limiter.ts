// The buckets of every client, in this process's memory.
//
// The number of buckets is bounded per class, so a flood in one class cannot push out another's. A
// bucket that has filled up again is as good as none and is dropped first. When that is not enough,
// those go that would be full soonest: forgetting one gives its owner at most what it was still
// waiting for, so the least is given away, and an exhausted bucket is the last to go. To have one
// forgotten, an attacker would have to exhaust nearly `maxKeys` others first, at a higher price than
// what the forgotten one brings. A cut takes a tenth at once, so that its cost is spread over many keys.

import { hash } from "node:crypto";
import type { Clock } from "../base/index.ts";
import { checkPolicy, fullAtMs, take, type BucketState, type Decision, type Policy } from "./bucket.ts";

export interface LimiterOptions {
  classes: Readonly<Record<string, Policy | "off">>;
  clock: Clock;
  /** Per class; about 150 bytes each, and less than a kilobyte. */
  maxKeys?: number;
}

/** Counting may happen elsewhere (a shared store): then it answers with a promise. */
export interface Limiter {
  /**
   * Takes `cost` out of the bucket of this key in this class; undefined when the class is off. An unknown
   * class is an Error. The key says whose it is (`usr_...`, `198.51.100.7`); any text will do.
   */
  take(className: string, key: string, cost?: number): Promise<Decision | undefined> | Decision | undefined;
  /** Whose bucket a class counts in, where its setting says so. */
  perOf(className: string): Policy["per"];
}

interface BucketClass {
  policy: Policy;
  buckets: Map<string, BucketState>;
}

export function createLimiter({ classes, clock, maxKeys = 100_000 }: LimiterOptions): Limiter {
  for (const policy of Object.values(classes)) if (policy !== "off") checkPolicy(policy);
  const limited = new Map<string, BucketClass>();
  return {
    perOf: (className) => perOf(classes, className),
    take(className, key, cost = 1) {
      const policy = policyOf(classes, className);
      if (policy === "off") return undefined;
      if (!limited.has(className)) limited.set(className, { policy, buckets: new Map() });
      const bucketClass = limited.get(className)!;
      const { buckets } = bucketClass;
      const name = boundedKey(key);
      const nowMs = clock.nowMs();
      const { state, decision } = take(buckets.get(name), policy, nowMs, cost);
      if (!buckets.has(name) && buckets.size >= maxKeys) makeRoom(bucketClass, nowMs, maxKeys);
      buckets.set(name, state);
      return decision;
    },
  };
}

export function policyOf(classes: LimiterOptions["classes"], className: string): Policy | "off" {
  if (!Object.hasOwn(classes, className))
    throw new Error(`There is no rate class "${className}". Add it to the limits.`);
  return classes[className]!;
}

export function perOf(classes: LimiterOptions["classes"], className: string): Policy["per"] {
  const policy = policyOf(classes, className);
  return policy === "off" ? undefined : policy.per;
}

const keyLengthMax = 200;

/** Keys come from clients too, an account's name up to a megabyte long; a hash is as good a name. */
function boundedKey(key: string): string {
  return key.length <= keyLengthMax ? key : `sha256 ${hash("sha256", JSON.stringify(key), "base64url")}`;
}

/** Leaves at most nine tenths of `maxKeys`. */
function makeRoom({ policy, buckets }: BucketClass, nowMs: number, maxKeys: number): void {
  for (const [key, state] of buckets) if (fullAtMs(state, policy) <= nowMs) buckets.delete(key);
  const surplus = buckets.size - Math.floor(maxKeys * 0.9);
  if (surplus <= 0) return;
  const soonestFirst = [...buckets]
    .map(([key, state]) => ({ key, fullAtMs: fullAtMs(state, policy) }))
    .toSorted((a, b) => a.fullAtMs - b.fullAtMs);
  for (const { key } of soonestFirst.slice(0, surplus)) buckets.delete(key);
}
