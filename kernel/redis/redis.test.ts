import { equal, match, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock, type Logger, silentLogger, systemClock } from "../base/index.ts";
import { needsRedis, startTestRedis } from "../testing/index.ts";
import { isRedisUrl, openRedis, type Redis, RedisDown } from "./index.ts";

/** A log whose lines can be read, and waited for. */
function listen() {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const write = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    for (const look of waiting) look();
  };
  const log: Logger = { ...silentLogger, info: write("info"), warn: write("warn"), error: write("error") };
  const line = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!lines.some((one) => pattern.test(one))) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { log, lines, line };
}

async function withRedis(
  run: (
    parts: { server: Awaited<ReturnType<typeof startTestRedis>>; redis: Redis } & ReturnType<typeof listen>,
  ) => Promise<void>,
): Promise<void> {
  const server = await startTestRedis();
  const heard = listen();
  const redis = await openRedis({ url: server.url, name: "test", clock: systemClock, log: heard.log });
  try {
    await run({ server, redis, ...heard });
  } finally {
    await redis.close();
    await server.stop();
  }
}

test("what is asked is answered, many at once too", needsRedis, () =>
  withRedis(async ({ redis }) => {
    const answers = await Promise.all(Array.from({ length: 500 }, () => redis.ask((client) => client.incr("counter"))));
    equal(Math.max(...answers), 500);
    ok((await redis.ping()) >= 0);
  }),
);

test(
  "while it is down a question fails at once and is not asked later; when it is back, it is asked again",
  needsRedis,
  () =>
    withRedis(async ({ server, redis, line, lines }) => {
      await server.kill();
      await line(/warn The shared store is down/);
      equal(redis.isUp(), false);
      await rejects(
        redis.ask((client) => client.set("kept", "1")),
        RedisDown,
      );
      await rejects(redis.ping(), RedisDown);
      await server.restart();
      const backMs = performance.now();
      await line(/info The shared store is back/);
      ok(performance.now() - backMs < 2_000);
      equal(await redis.ask((client) => client.get("kept")), null);
      equal(lines.filter((one) => /is down/.test(one)).length, 1);
    }),
);

test("a question on its way when the store dies is rejected, and not sent again", needsRedis, () =>
  withRedis(async ({ server, redis, line }) => {
    server.pause();
    const asked = redis.ask((client) => client.incr("counter"));
    await Promise.all([rejects(asked), server.kill()]);
    await server.restart();
    await line(/is back/);
    equal(await redis.ask((client) => client.get("counter")), null);
  }),
);

test(
  "a store that hangs costs one question a tenth of a second, and the next ones nothing, until it answers again",
  needsRedis,
  () =>
    withRedis(async ({ server, redis, line }) => {
      server.pause();
      const startMs = performance.now();
      await rejects(
        redis.ask((client) => client.get("key")),
        RedisDown,
      );
      const firstMs = performance.now() - startMs;
      ok(firstMs > 40 && firstMs < 1_000, `${firstMs} ms`);
      for (let count = 0; count < 100; count++)
        await rejects(
          redis.ask((client) => client.get("key")),
          RedisDown,
        );
      ok(performance.now() - startMs - firstMs < 500);
      server.resume();
      await line(/is back/);
      equal(await redis.ask((client) => client.get("key")), null);
    }),
);

test("how long an answer is waited for is a matter of the clock given, forward or back", needsRedis, async () => {
  const server = await startTestRedis();
  const clock = createManualClock();
  const redis = await openRedis({ url: server.url, name: "test", clock, log: silentLogger });
  server.pause();
  let failed = false;
  const asked = redis.ask((client) => client.get("key")).catch(() => (failed = true));
  await clock.advance(49);
  equal(failed, false);
  await clock.advance(51);
  equal(failed, true);
  await asked;
  await redis.close();
  await server.stop();
});

test("a store that is not there when a process starts is found when it comes", needsRedis, async () => {
  const server = await startTestRedis();
  await server.kill();
  const { log, line, lines } = listen();
  const redis = await openRedis({ url: server.url, name: "test", clock: systemClock, log });
  equal(redis.isUp(), false);
  match(lines[0]!, /warn The shared store is down.*ECONNREFUSED/);
  await server.restart();
  await line(/is back/);
  equal(await redis.ask((client) => client.get("key")), null);
  await redis.close();
  await server.stop();
});

test("a store that takes no writes is of no use, although it answers", needsRedis, () =>
  withRedis(async ({ redis }) => {
    await redis.ask((client) => client.config("SET", "maxmemory", "1", "maxmemory-policy", "noeviction"));
    await rejects(redis.ping(), /OOM/);
    equal(redis.isUp(), true);
  }),
);

test("neither a password that is right nor one that is wrong is written into the log", needsRedis, async () => {
  const server = await startTestRedis({ password: "s3cret:/@" });
  const { log, lines, line } = listen();
  const right = await openRedis({ url: server.url, name: "test", clock: systemClock, log });
  equal(await right.ask((client) => client.get("key")), null);
  const wrongUrl = server.url.replace(/:[^:]*@/, ":hunter2@");
  const wrong = await openRedis({ url: wrongUrl, name: "test", clock: systemClock, log });
  await line(/is down/);
  equal(wrong.isUp(), false);
  await server.kill();
  await Promise.all([right.close(), wrong.close()]);
  match(lines.join("\n"), /WRONGPASS/);
  equal(/s3cret|hunter2/.test(lines.join("\n")), false);
  await server.stop();
});

test("a connection of its own hears messages, and again after the store was away", needsRedis, () =>
  withRedis(async ({ server, redis, line }) => {
    const listener = redis.connect();
    const next = () => new Promise<string>((resolve) => listener.once("message", (_, text: string) => resolve(text)));
    await listener.subscribe("news");
    let heard = next();
    await redis.ask((client) => client.publish("news", "first"));
    equal(await heard, "first");
    await server.restart();
    await line(/is back/);
    heard = next();
    while ((await redis.ask((client) => client.publish("news", "second"))) === 0);
    equal(await heard, "second");
  }),
);

test(
  "what waits when it is closed is rejected, and a closed one is down, also when it never was up",
  needsRedis,
  async () => {
    const server = await startTestRedis();
    const redis = await openRedis({ url: server.url, name: "test", clock: systemClock, log: silentLogger });
    server.pause();
    const asked = redis.ask((client) => client.get("key"));
    await Promise.all([rejects(asked), redis.close()]);
    await redis.close();
    await rejects(redis.ping(), RedisDown);
    await server.stop();
    const never = await openRedis({ url: server.url, name: "test", clock: systemClock, log: silentLogger });
    await never.close();
    equal(never.isUp(), false);
  },
);

test("an address says where, and nothing about how", () => {
  for (const url of [
    "redis://localhost",
    "redis://localhost:6380/",
    "rediss://me:p%40ss@redis.example:6380/3",
    "redis://[::1]/0",
  ])
    equal(isRedisUrl(url), true, url);
  for (const url of [
    "",
    "localhost:6379",
    "http://localhost",
    "redis://",
    "redis://localhost/db",
    "redis://localhost/0/1",
    "redis://localhost?enableOfflineQueue=true",
    "redis://localhost#0",
    "redis://me:%zz@localhost",
    "/run/redis.sock",
  ])
    equal(isRedisUrl(url), false, url);
});
