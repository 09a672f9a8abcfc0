import { deepEqual, equal, ok } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { needsRedis } from "../testing/index.ts";
import { type BucketState, checkPolicy, type Decision, type Policy, take } from "./bucket.ts";
import { start } from "../redis/fixture.ts";
import { createSharedBuckets } from "./shared-buckets.ts";

// Far from now, so that no bucket of a test ends by the store's own clock.
const startMs = Date.UTC(2100, 0, 1);

const policies = fc.oneof(
  fc.record({ maxRequests: fc.integer({ min: 1, max: 1_000 }), windowMs: fc.integer({ min: 1, max: 3_600_000 }) }),
  // At the edge of exactness: the product is just below 2^53.
  fc
    .integer({ min: 1, max: 2 ** 40 })
    .map((windowMs) => ({ windowMs, maxRequests: Math.floor((2 ** 53 - 1) / windowMs) })),
);

test("the script decides as the pure function does, clocks that go back included", needsRedis, async (t) => {
  const { redis } = await start(t);
  const takeShared = createSharedBuckets(redis, `tonumber(redis.call("GET", "now"))`);
  const at = (nowMs: number) => redis.ask((client) => client.set("now", nowMs));
  await at(startMs);
  await takeShared({ maxRequests: 1, windowMs: 1 }, ["so that the store knows the script"], 1);
  const step = fc.record({
    // Of the window, so that buckets are found empty, filling, full, and before they were left.
    wait: fc.oneof(fc.double({ min: -0.5, max: 1.5, noNaN: true }), fc.constantFrom(0, 1)),
    cost: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  });
  await fc.assert(
    fc.asyncProperty(policies, fc.array(step, { minLength: 1, maxLength: 40 }), async (policy: Policy, steps) => {
      checkPolicy(policy);
      const words = [randomUUID()];
      let state: BucketState | undefined;
      let nowMs = startMs;
      const expected: Decision[] = [];
      const actual: Promise<Decision>[] = [];
      for (const { wait, cost } of steps) {
        nowMs += Math.round(wait * policy.windowMs);
        const price = cost === 1 ? 1 : Math.floor(cost * policy.maxRequests);
        const taken = take(state, policy, nowMs, price);
        state = taken.state;
        expected.push(taken.decision);
        // Asked at once and answered in order, as the commands of one connection are.
        void at(nowMs);
        actual.push(takeShared(policy, words, price));
      }
      deepEqual(await Promise.all(actual), expected);
    }),
    { numRuns: 500 },
  );
});

test(
  "time is the store's, and a bucket is kept until the moment it is full, by the same clock",
  needsRedis,
  async (t) => {
    const { redis } = await start(t);
    const takeShared = createSharedBuckets(redis);
    const [seconds, micros] = await redis.ask((client) => client.time());
    const beforeMs = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    const decision = await takeShared({ maxRequests: 10, windowMs: 60_000 }, ["usr_1"], 3);
    ok(decision.atMs >= beforeMs && decision.atMs < beforeMs + 10_000);
    const [key] = await redis.ask((client) => client.keys("ashlar:limit:*"));
    equal(await redis.ask((client) => client.pexpiretime(key!)), decision.resetAtMs);
    equal(decision.resetAtMs, decision.atMs + 18_000);
  },
);

test("a full bucket leaves nothing in the store", needsRedis, async (t) => {
  const { redis } = await start(t);
  const takeShared = createSharedBuckets(redis);
  await takeShared({ maxRequests: 10, windowMs: 1 }, ["usr_1"], 0);
  deepEqual(await redis.ask((client) => client.keys("ashlar:limit:*")), []);
});

test("N13 whatever a key is made of, it is one short key that means nothing to the store", needsRedis, async (t) => {
  const { redis } = await start(t);
  const takeShared = createSharedBuckets(redis);
  const policy = { maxRequests: 5, windowMs: 3_600_000 };
  const hostile = [
    "a\r\nFLUSHALL\r\n",
    "{same}1",
    "{same}2",
    "*",
    " ",
    "",
    "\0",
    "\ud800",
    "\ud801",
    "x".repeat(1024 * 1024),
    "x".repeat(1024 * 1024 - 1),
  ];
  for (const key of hostile) {
    equal((await takeShared(policy, ["app", "default", key], 1)).remaining, 4);
    equal((await takeShared(policy, ["app", "default", key], 1)).remaining, 3);
  }
  // Where one word ends and the next begins makes a difference.
  equal((await takeShared(policy, ["app", "def", "ault*"], 1)).remaining, 4);
  const keys = await redis.ask((client) => client.keys("ashlar:limit:*"));
  equal(keys.length, hostile.length + 1);
  for (const key of keys) ok(/^ashlar:limit:[A-Za-z0-9_-]{43}$/.test(key), key);
});

test("units of one policy are not read as those of another", needsRedis, async (t) => {
  const { redis } = await start(t);
  const takeShared = createSharedBuckets(redis);
  equal((await takeShared({ maxRequests: 2, windowMs: 3_600_000 }, ["usr_1"], 2)).remaining, 0);
  equal((await takeShared({ maxRequests: 4, windowMs: 3_600_000 }, ["usr_1"], 1)).remaining, 3);
  equal((await takeShared({ maxRequests: 2, windowMs: 3_600_000 }, ["usr_1"], 1)).allowed, false);
});

test("a store that has forgotten the script is told it again", needsRedis, async (t) => {
  const { redis } = await start(t);
  const takeShared = createSharedBuckets(redis);
  const policy = { maxRequests: 3, windowMs: 3_600_000 };
  await takeShared(policy, ["usr_1"], 1);
  await redis.ask((client) => client.script("FLUSH"));
  const decisions = await Promise.all([1, 2, 3].map(() => takeShared(policy, ["usr_1"], 1)));
  deepEqual(
    decisions.map(({ allowed }) => allowed),
    [true, true, false],
  );
});
