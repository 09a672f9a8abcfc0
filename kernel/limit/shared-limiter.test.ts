import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock, silentLogger, systemClock } from "../base/index.ts";
import type { Redis } from "../redis/index.ts";
import { needsRedis } from "../testing/index.ts";
import { open, start } from "../redis/fixture.ts";
import type { Limiter } from "./limiter.ts";
import { createSharedLimiter, type SharedLimiterOptions } from "./shared-limiter.ts";

const hourMs = 3_600_000;
const classes = { default: { maxRequests: 10, windowMs: hourMs }, auth: { maxRequests: 4, windowMs: hourMs } };

/** Resolves when the store is up, or down, in the eyes of this connection. */
async function until(redis: Redis, isUp: boolean): Promise<void> {
  while (redis.isUp() !== isUp) await new Promise((resolve) => setImmediate(resolve));
}

function limiterOn(redis: Redis, options: Partial<SharedLimiterOptions> = {}): Limiter {
  return createSharedLimiter({
    classes,
    redis,
    app: "test",
    shares: 2,
    clock: systemClock,
    log: silentLogger,
    ...options,
  });
}

/** How many of these at once are let through. */
async function admitted(limiters: readonly Limiter[], className: string, key: string, count: number): Promise<number> {
  const decisions = await Promise.all(
    Array.from({ length: count }, async (_, index) => limiters[index % limiters.length]!.take(className, key)),
  );
  return decisions.filter((decision) => decision!.allowed).length;
}

test(
  "several limiters have one bucket for each key in each class, and another app has its own",
  needsRedis,
  async (t) => {
    const { redis, server } = await start(t);
    const further = await open(t, server.url);
    const limiters = [limiterOn(redis), limiterOn(further)];
    equal(await admitted(limiters, "default", "usr_1", 40), 10);
    equal(await admitted(limiters, "default", "usr_2", 40), 10);
    equal(await admitted(limiters, "auth", "usr_1", 40), 4);
    equal(await admitted([limiterOn(further, { app: "other" })], "auth", "usr_1", 40), 4);
  },
);

test("clocks minutes apart change nothing: what is said comes from the store's", needsRedis, async (t) => {
  const { redis } = await start(t);
  const now = Date.now();
  const early = limiterOn(redis, { clock: createManualClock(now - 300_000) });
  const late = limiterOn(redis, { clock: createManualClock(now + 300_000) });
  const first = (await early.take("default", "usr_1"))!;
  const second = (await late.take("default", "usr_1"))!;
  deepEqual([first.remaining, second.remaining], [9, 8]);
  ok(first.atMs <= second.atMs && second.atMs < first.atMs + 60_000);
  ok(Math.abs(first.atMs - Date.now()) < 60_000);
  equal(await admitted([early, late], "default", "usr_1", 40), 8);
});

test(
  "a class that is off limits nothing; an unknown class, policy or cost is a mistake, up or down",
  needsRedis,
  async (t) => {
    const { redis, server } = await start(t);
    const limiter = limiterOn(redis, { classes: { ...classes, free: "off" } });
    throws(() => limiterOn(redis, { classes: { default: { maxRequests: 2 ** 30, windowMs: 2 ** 30 } } }));
    for (const isUp of [true, false]) {
      equal(await limiter.take("free", "usr_1"), undefined);
      await rejects(async () => limiter.take("toString", "usr_1"), /no rate class/);
      await rejects(async () => limiter.take("default", "usr_1", 11), /can never pass/);
      if (isUp) await server.kill().then(() => until(redis, false));
    }
  },
);

test(
  "while the store is down each process grants its share, auth too; when it is back they share again",
  needsRedis,
  async (t) => {
    const { redis, server } = await start(t);
    const limiters = [limiterOn(redis), limiterOn(redis)];
    equal(await admitted(limiters, "auth", "usr_1", 40), 4);
    await server.kill();
    await until(redis, false);
    // Half of 4 in each of two.
    equal(await admitted(limiters, "auth", "usr_1", 40), 4);
    const decision = (await limiters[0]!.take("auth", "usr_1"))!;
    deepEqual([decision.allowed, decision.limit, decision.remaining], [false, 2, 0]);
    equal(await admitted(limiters, "default", "usr_1", 40), 10);
    await server.restart();
    await until(redis, true);
    equal(await admitted(limiters, "auth", "usr_1", 40), 4);
    equal((await limiters[0]!.take("auth", "usr_1"))!.limit, 4);
  },
);

test("a store that comes and goes gives nobody a full share each time", needsRedis, async (t) => {
  const { redis, server } = await start(t);
  const limiter = limiterOn(redis);
  let local = 0;
  for (let round = 0; round < 3; round++) {
    await server.kill();
    await until(redis, false);
    local += await admitted([limiter], "auth", "usr_1", 10);
    await server.restart();
    await until(redis, true);
  }
  equal(local, 2);
});

test("a share is one request at least, and what costs more than a share takes all of it", needsRedis, async (t) => {
  const { redis, server } = await start(t);
  const limiter = limiterOn(redis, { shares: 5 });
  await server.kill();
  await until(redis, false);
  // A fifth of 10 is 2, a fifth of 4 is rounded up to 1.
  equal(await admitted([limiter], "default", "usr_1", 10), 2);
  equal(await admitted([limiter], "auth", "usr_1", 10), 1);
  deepEqual(
    [await limiter.take("default", "usr_2", 8), await limiter.take("default", "usr_2", 8)].map((one) => one!.allowed),
    [true, false],
  );
});

test("requests during a hanging store are decided in time, and not let through for that", needsRedis, async (t) => {
  const { redis, server } = await start(t, { answerMsMax: 100 });
  const limiter = limiterOn(redis);
  server.pause();
  const startMs = performance.now();
  equal(await admitted([limiter], "auth", "usr_1", 100), 2);
  ok(performance.now() - startMs < 1_000);
  server.resume();
  await until(redis, true);
});

test(
  "a store that is up and does not count is as good as none, and is complained about once",
  needsRedis,
  async (t) => {
    const { redis } = await start(t);
    const complaints: unknown[] = [];
    const log = { ...silentLogger, warn: (fields: unknown) => void complaints.push(fields) };
    const limiter = limiterOn(redis, { log });
    await redis.ask((client) => client.acl("SETUSER", "default", "-eval", "-evalsha"));
    equal(await admitted([limiter], "auth", "usr_1", 10), 2);
    equal(redis.isUp(), true);
    equal(complaints.length, 1);
    match(JSON.stringify(complaints), /NOPERM/);
    await redis.ask((client) => client.acl("SETUSER", "default", "+@all"));
    equal(await admitted([limiter], "auth", "usr_1", 10), 4);
  },
);
