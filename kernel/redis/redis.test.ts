import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createManualClock } from "../base/index.ts";
import { certificateFor } from "../testing/certificates.ts";
import { needsRedis } from "../testing/index.ts";
import { listen, open, start, startServer, startWay, type Way } from "./fixture.ts";
import { isRedisUrl, RedisDown } from "./index.ts";

test("what is asked is answered, many at once too", needsRedis, async (t) => {
  const { redis } = await start(t);
  const answers = await Promise.all(Array.from({ length: 500 }, () => redis.ask((client) => client.incr("counter"))));
  equal(Math.max(...answers), 500);
  ok((await redis.ping()) >= 0);
});

test(
  "while it is down a question fails at once and is not asked later; when it is back, it is asked again",
  needsRedis,
  async (t) => {
    const { server, redis, line, lines } = await start(t);
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
  },
);

test("a question on its way when the store dies is rejected, and not sent again", needsRedis, async (t) => {
  const { server, redis, line } = await start(t);
  server.pause();
  const asked = redis.ask((client) => client.incr("counter"));
  await Promise.all([rejects(asked), server.kill()]);
  await server.restart();
  await line(/is back/);
  equal(await redis.ask((client) => client.get("counter")), null);
});

test(
  "a store that hangs costs one question a tenth of a second, and the next ones nothing, until it answers again",
  needsRedis,
  async (t) => {
    const { server, redis, line } = await start(t, { answerMsMax: 100 });
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
  },
);

test(
  "a store is back when it answers in time by the clock given, not when it answers at last",
  needsRedis,
  async (t) => {
    const server = await startServer(t);
    const clock = createManualClock();
    const { log, line } = listen();
    const redis = await open(t, server.url, { clock, log, answerMsMax: 100 });
    const writes = async () =>
      Number(/cmdstat_set:calls=(\d+)/.exec(await redis.ask((client) => client.info("commandstats")))![1]);
    equal(await writes(), 1);
    server.pause();
    let failed = false;
    const asked = redis.ask((client) => client.get("key")).catch(() => (failed = true));
    await clock.advance(99);
    equal(failed, false);
    await clock.advance(1);
    equal(failed, true);
    await asked;
    await clock.advance(101);
    server.resume();
    await line(/is back/);
    equal(await writes(), 3, "one that was too late, and one more");
  },
);

test("a store that is not there when a process starts is found when it comes", needsRedis, async (t) => {
  const server = await startServer(t);
  await server.kill();
  const { log, line, lines } = listen();
  const redis = await open(t, server.url, { log });
  equal(redis.isUp(), false);
  match(lines[0]!, /warn The shared store is down.*ECONNREFUSED/);
  await server.restart();
  await line(/is back/);
  equal(await redis.ask((client) => client.get("key")), null);
});

/** What makes a store refuse writes, with how it is mended. */
const refusing: Readonly<Record<string, readonly [string[], string[]]>> = {
  "that is full": [
    ["config", "set", "maxmemory", "1"],
    ["config", "set", "maxmemory", "0"],
  ],
  "that has become a replica": [
    ["replicaof", "127.0.0.1", "1"],
    ["replicaof", "no", "one"],
  ],
};

for (const [name, [spoil, mend]] of Object.entries(refusing)) {
  test(`a store ${name} answers, and is down until it takes writes again`, needsRedis, async (t) => {
    const { redis, line, lines } = await start(t);
    const admin = redis.connect();
    await admin.call(spoil[0]!, spoil.slice(1));
    await rejects(redis.ping(), /OOM|READONLY/);
    equal(redis.isUp(), false);
    await rejects(redis.ping(), RedisDown);
    equal(await admin.ping(), "PONG");
    await admin.call(mend[0]!, mend.slice(1));
    await line(/is back/);
    ok((await redis.ping()) >= 0);
    equal(lines.length, 2);
  });
}

test(
  "a connection that leads nowhere any more is given up, and made again within two seconds",
  needsRedis,
  async (t) => {
    const server = await startServer(t);
    const way = await startWay(t, Number(new URL(server.url).port));
    const { log, line } = listen();
    const redis = await open(t, `redis://127.0.0.1:${way.port}`, { log, answerMsMax: 100 });
    equal(await redis.ask((client) => client.get("key")), null);
    way.lose();
    const lostMs = performance.now();
    await rejects(redis.ping(), RedisDown);
    await line(/is back/);
    ok(performance.now() - lostMs < 2_000, `${performance.now() - lostMs} ms`);
    equal(await redis.ask((client) => client.get("key")), null);
  },
);

test("with rediss:// nothing is said before the certificate was checked", needsRedis, async (t) => {
  const server = await startServer(t, { password: "s3cret" });
  const port = Number(new URL(server.url).port);
  const certificate = certificateFor("127.0.0.1");
  const before = getCACertificates();
  t.after(() => setDefaultCACertificates(before));
  const tried = async (way: Way, scheme = "rediss") => {
    const { log, lines } = listen();
    const url = `${scheme}://:s3cret@127.0.0.1:${way.port}`;
    const redis = await open(t, url, { log });
    return { isUp: redis.isUp(), said: lines.join() };
  };
  const unknown = await tried(await startWay(t, port, certificate));
  equal(unknown.isUp, false);
  match(unknown.said, /self-signed certificate/);
  setDefaultCACertificates([...before, certificate.cert]);
  deepEqual(await tried(await startWay(t, port, certificate)), { isUp: true, said: "" });
  const otherName = certificateFor("192.0.2.1");
  setDefaultCACertificates([...before, otherName.cert]);
  match((await tried(await startWay(t, port, otherName))).said, /does not match certificate/);
  // A server without TLS gets no password either.
  for (const scheme of ["rediss", "REDISS"]) equal((await tried(await startWay(t, port), scheme)).isUp, false, scheme);
});

test("neither a password that is right nor one that is wrong is written into the log", needsRedis, async (t) => {
  const server = await startServer(t, { password: "s3cret:/@" });
  const { log, lines, line } = listen();
  const right = await open(t, server.url, { log });
  equal(await right.ask((client) => client.get("key")), null);
  const wrongUrl = server.url.replace(/:[^:]*@/, ":hunter2@");
  const wrong = await open(t, wrongUrl, { log });
  await line(/is down/);
  equal(wrong.isUp(), false);
  await server.kill();
  await Promise.all([right.close(), wrong.close()]);
  match(lines.join("\n"), /WRONGPASS/);
  equal(/s3cret|hunter2/.test(lines.join("\n")), false);
});

test("a connection of its own hears messages, and again after the store was away", needsRedis, async (t) => {
  const { server, redis, line } = await start(t);
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
});

test(
  "what waits when it is closed is rejected, and a closed one is down, also when it never was up",
  needsRedis,
  async (t) => {
    const server = await startServer(t);
    const redis = await open(t, server.url);
    server.pause();
    const asked = redis.ask((client) => client.get("key"));
    await Promise.all([rejects(asked), redis.close()]);
    await redis.close();
    await rejects(redis.ping(), RedisDown);
    await server.stop();
    const never = await open(t, server.url);
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
