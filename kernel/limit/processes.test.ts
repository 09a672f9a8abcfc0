// Four processes and one bucket, with real processes and the store's real clock.
//
// The windows are short, and it is the requests that take the time. Only who is told to come back later waits, by
// a real timer: the clock that counts is the store's, which no test can move by hand.

import { equal, ok } from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { type Clock, silentLogger, systemClock } from "../base/index.ts";
import { openRedis } from "../redis/index.ts";
import { needsRedis, startTestRedis } from "../testing/index.ts";
import type { Decision } from "./bucket.ts";
import { createSharedLimiter, type Limiter } from "./index.ts";

const policy = { maxRequests: 40, windowMs: 50 };
const processes = 4;
const requests = 20_000;
/** A busy machine is not to be taken for a store that hangs. */
const answerMsMax = 20_000;
/** Asked at a time by each process. */
const atOnce = 32;

interface Flood {
  asked: number;
  /** When, by the store's clock, each request was let through. */
  admittedAtMs: number[];
}

if (process.argv[2] === "one of many") await serve(process.argv[3]!, Number(process.argv[4]));
else testMany();

/** In a child: answers one request, or asks many at once and answers what was let through. */
async function serve(url: string, aheadMs: number): Promise<void> {
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
  const redis = await openRedis({ answerMsMax, url, name: "one of many", clock, log: silentLogger });
  const limiter = createSharedLimiter({
    classes: { default: policy },
    redis,
    app: "test",
    shares: processes,
    clock,
    log: silentLogger,
  });
  process.on("message", ({ key, count }: { key: string; count?: number }) => {
    const answer = count === undefined ? limiter.take("default", key) : flood(limiter, key, count);
    void Promise.resolve<unknown>(answer).then((message) => process.send!(message));
  });
  process.send!("ready");
}

async function flood(limiter: Limiter, key: string, count: number): Promise<Flood> {
  const result: Flood = { asked: 0, admittedAtMs: [] };
  const askOneByOne = async () => {
    while (result.asked < count) {
      result.asked++;
      const { allowed, atMs, limit } = (await limiter.take("default", key))!;
      equal(limit, policy.maxRequests, "counted in the store");
      if (allowed) result.admittedAtMs.push(atMs);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, askOneByOne));
  return result;
}

async function ask<T>(child: ChildProcess, message: object): Promise<T> {
  const answer = once(child, "message");
  child.send(message);
  return (await answer)[0] as T;
}

/** Timers may fire a little early. */
async function wait(ms: number): Promise<void> {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs) await systemClock.sleep(Math.ceil(untilMs - performance.now()));
}

async function withProcesses(run: (children: readonly ChildProcess[]) => Promise<void>): Promise<void> {
  const server = await startTestRedis();
  // Their clocks are five minutes apart, each from the next.
  const children = Array.from({ length: processes }, (_, index) =>
    fork(import.meta.filename, ["one of many", server.url, String(index * 300_000)], { execArgv: [] }),
  );
  try {
    await Promise.all(children.map((child) => once(child, "message")));
    await run(children);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await server.stop();
  }
}

function testMany(): void {
  test(
    "in any interval, four processes together let through the capacity and what flows in, and no more",
    needsRedis,
    () =>
      withProcesses(async (children) => {
        const floods = await Promise.all(
          children.map((child) => ask<Flood>(child, { key: "everybody", count: requests / processes })),
        );
        equal(
          floods.reduce((sum, { asked }) => sum + asked, 0),
          requests,
        );
        ok(floods.every(({ admittedAtMs }) => admittedAtMs.length > 0));
        const atMs = floods.flatMap(({ admittedAtMs }) => admittedAtMs).toSorted((a, b) => a - b);
        for (const [from, fromMs] of atMs.entries()) {
          for (let to = from; to < atMs.length; to++) {
            const elapsedMs = atMs[to]! - fromMs;
            ok((to - from + 1) * policy.windowMs <= (policy.windowMs + elapsedMs) * policy.maxRequests);
          }
        }
        const totalMs = atMs.at(-1)! - atMs[0]!;
        ok(totalMs > 3 * policy.windowMs, `${totalMs} ms are several windows`);
        const flowedIn = (totalMs * policy.maxRequests) / policy.windowMs;
        // While this machine is too busy to ask, what flows in is lost.
        ok(atMs.length > flowedIn / 2, `${atMs.length} passed, while ${flowedIn} flowed in`);
      }),
  );

  test("who comes back when told passes, whichever process it asks", needsRedis, () =>
    withProcesses(async (children) => {
      let waits = 0;
      for (let count = 0; waits < 100; count++) {
        const next = () => ask<Decision>(children[count++ % processes]!, { key: "patient" });
        const { allowed, retryAfterMs } = await next();
        if (allowed) continue;
        waits++;
        await wait(retryAfterMs);
        equal((await next()).allowed, true);
      }
    }),
  );
}
