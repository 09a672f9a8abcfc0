import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkPolicy, fullAtMs, take, type BucketState, type Policy } from "./bucket.ts";

const startMs = Date.UTC(2026, 0, 1);
const policies = fc.record({
  maxRequests: fc.integer({ min: 1, max: 1_000 }),
  windowMs: fc.integer({ min: 1, max: 3_600_000 }),
});

test("a full bucket lets maxRequests pass at once and then says when the next one will", () => {
  const policy = { maxRequests: 100, windowMs: 60_000 };
  let state: BucketState | undefined;
  for (let count = 1; count <= 100; count++) {
    const taken = take(state, policy, startMs);
    state = taken.state;
    deepEqual([taken.decision.allowed, taken.decision.remaining, taken.decision.retryAfterMs], [true, 100 - count, 0]);
  }
  const refused = take(state, policy, startMs).decision;
  deepEqual(refused, {
    allowed: false,
    atMs: startMs,
    limit: 100,
    windowMs: 60_000,
    remaining: 0,
    resetAtMs: startMs + 60_000,
    retryAfterMs: 600,
  });
  equal(take(state, policy, startMs + 599).decision.allowed, false);
  equal(take(state, policy, startMs + 600).decision.allowed, true);
});

test("G14 in any interval of t ms at most capacity + rate * t pass, exactly", () => {
  const asks = fc.array(fc.tuple(fc.nat(5_000), fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 120 });
  fc.assert(
    fc.property(policies, asks, (policy, steps) => {
      let state: BucketState | undefined;
      let nowMs = startMs;
      const admitted: { atMs: number; cost: number }[] = [];
      for (const [waitMs, wanted] of steps) {
        nowMs += waitMs;
        const cost = Math.min(wanted, policy.maxRequests);
        const taken = take(state, policy, nowMs, cost);
        state = taken.state;
        if (taken.decision.allowed) admitted.push({ atMs: nowMs, cost });
      }
      for (let from = 0; from < admitted.length; from++) {
        let sum = 0;
        for (const { atMs, cost } of admitted.slice(from)) {
          sum += cost;
          const elapsedMs = atMs - admitted[from]!.atMs;
          // In whole units on both sides: no rounding hides a request too many.
          ok(sum * policy.windowMs <= (policy.windowMs + elapsedMs) * policy.maxRequests);
        }
      }
    }),
  );
});

test("nothing is lost to rounding: asking often admits as much as asking seldom", () => {
  fc.assert(
    fc.property(policies, fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 100 }), (policy, waitsMs) => {
      const emptied = take(undefined, policy, startMs, policy.maxRequests).state;
      let often: BucketState = emptied;
      let nowMs = startMs;
      for (const waitMs of waitsMs) often = take(often, policy, (nowMs += waitMs), 0).state;
      deepEqual(often, take(emptied, policy, nowMs, 0).state);
    }),
  );
});

test("G14 a client that waits as told is never refused, and a millisecond less is too early", () => {
  fc.assert(
    fc.property(
      policies,
      fc.array(fc.nat(2_000), { maxLength: 60 }),
      fc.integer({ min: 1, max: 1_000 }),
      (policy, waitsMs, wanted) => {
        const cost = Math.min(wanted, policy.maxRequests);
        let state: BucketState | undefined;
        let nowMs = startMs;
        for (const waitMs of waitsMs) {
          const taken = take(state, policy, (nowMs += waitMs), cost);
          state = taken.state;
          if (taken.decision.allowed) continue;
          const { retryAfterMs } = taken.decision;
          ok(retryAfterMs > 0);
          equal(take(state, policy, nowMs + retryAfterMs - 1, cost).decision.allowed, false);
          const retried = take(state, policy, (nowMs += retryAfterMs), cost);
          equal(retried.decision.allowed, true);
          state = retried.state;
        }
      },
    ),
  );
});

test("G14 remaining and reset are true: that many pass now, and then it is full", () => {
  fc.assert(
    fc.property(policies, fc.array(fc.nat(2_000), { minLength: 1, maxLength: 60 }), (policy, waitsMs) => {
      let state: BucketState | undefined;
      let nowMs = startMs;
      for (const waitMs of waitsMs) state = take(state, policy, (nowMs += waitMs)).state;
      const { remaining, resetAtMs } = take(state, policy, nowMs, 0).decision;
      equal(take(state, policy, nowMs, remaining).decision.allowed, true);
      if (remaining < policy.maxRequests) equal(take(state, policy, nowMs, remaining + 1).decision.allowed, false);
      equal(resetAtMs, fullAtMs(state!, policy));
      equal(take(state, policy, resetAtMs, policy.maxRequests).decision.allowed, true);
    }),
  );
});

test("a clock that goes back neither gives nor locks out", () => {
  const policy: Policy = { maxRequests: 10, windowMs: 10_000 };
  const emptied = take(undefined, policy, startMs, 10).state;
  const back = take(emptied, policy, startMs - 86_400_000);
  equal(back.decision.allowed, false);
  equal(back.decision.retryAfterMs, 1_000);
  equal(take(back.state, policy, startMs - 86_400_000 + 1_000).decision.allowed, true);
});

test("a long silence fills the bucket and no more, also with numbers at the edge of exactness", () => {
  const policy = { maxRequests: 94_906_265, windowMs: 94_906_265 };
  checkPolicy(policy);
  const emptied = take(undefined, policy, startMs, policy.maxRequests).state;
  equal(take(emptied, policy, startMs * 2, 0).decision.remaining, policy.maxRequests);
  equal(take(emptied, policy, startMs + policy.windowMs - 1, 0).decision.remaining, policy.maxRequests - 1);
});

test("a cost that could never pass and a policy that cannot be counted are mistakes", () => {
  throws(() => take(undefined, { maxRequests: 2, windowMs: 1_000 }, startMs, 3), /never pass/);
  for (const cost of [-1, 0.5, Number.NaN])
    throws(() => take(undefined, { maxRequests: 2, windowMs: 1_000 }, startMs, cost));
  for (const policy of [
    { maxRequests: 0, windowMs: 1 },
    { maxRequests: 1, windowMs: 0 },
    { maxRequests: 1.5, windowMs: 1 },
    { maxRequests: 2 ** 30, windowMs: 2 ** 30 },
  ])
    throws(() => checkPolicy(policy));
});
