import { deepEqual, equal, rejects } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { silentLogger, systemClock, systemRandom } from "../base/index.ts";
import { openRedis, type Redis } from "../redis/index.ts";
import { cacheSuite, needsRedis, startTestRedis, type TestRedis } from "../testing/index.ts";
import { createRedisStore } from "./redis-store.ts";
import type { SharedStore } from "./shared-store.ts";

/** So that a busy machine is not taken for a store that hangs. */
const answerMsMax = 20_000;

let server: TestRedis;
let redis: Redis;

async function openStore(): Promise<SharedStore> {
  server = await startTestRedis();
  redis = await openRedis({ answerMsMax, url: server.url, name: "test", clock: systemClock, log: silentLogger });
  return createRedisStore({ redis, app: "test", random: systemRandom });
}

async function close(): Promise<void> {
  await redis?.close();
  await server?.stop();
}

/** The store counts by its own clock: what it holds is made older. */
const passTime = (ms: number) =>
  redis.ask(async (client) => {
    for (const key of await client.keys("ashlar:cache:*")) {
      const left = await client.pttl(key);
      await (left <= ms ? client.del(key) : client.pexpire(key, left - ms));
    }
  });

describe("in Redis", needsRedis, () => {
  cacheSuite("Redis", { openStore, passTime });
  after(close);
});

describe("the shared store in Redis", needsRedis, () => {
  let store: SharedStore;
  before(async () => {
    store = await openStore();
  });
  after(close);
  const life = { freshMs: 60_000, staleMs: 0 };
  const leaseOf = async (key: string, below = 0) => {
    const found = await store.find(key, below);
    return found.state === "yours" ? found.lease : undefined;
  };

  test("one who asks may load, until it has kept something, given up, or died", async () => {
    const lease = (await leaseOf("a"))!;
    equal(await leaseOf("a"), undefined);
    await store.giveUp("a", "somebody else's");
    equal(await leaseOf("a"), undefined);
    await store.giveUp("a", lease);
    const second = (await leaseOf("a"))!;
    await store.keep("a", { json: '"one"', below: 5 }, life, second);
    const found = await store.find("a", 5);
    deepEqual(found.state === "kept" && found.kept, { json: '"one"', below: 5 });
    // What was kept is too old for who knows of a later change: that one may load.
    equal(typeof (await leaseOf("a", 6)), "string");
    await passTime(2_000);
    equal(typeof (await leaseOf("a", 6)), "string", "and a dead one holds nobody up for long");
  });

  test("a value that was read later is not replaced by one that was read earlier", async () => {
    await store.keep("b", { json: '"later"', below: 9 }, life, undefined);
    await store.keep("b", { json: '"earlier"', below: 8 }, life, undefined);
    const found = await store.find("b", 0);
    deepEqual(found.state === "kept" && found.kept, { json: '"later"', below: 9 });
  });

  test("what is beyond its time is not found, though it may still be served by who keeps it", async () => {
    await store.keep("c", { json: "1", below: 1 }, { freshMs: 1_000, staleMs: 5_000 }, undefined);
    const found = await store.find("c", 0);
    equal(found.state === "kept" && found.freshForMs > 900 && found.freshForMs <= 1_000, true);
    await passTime(1_000);
    equal((await store.find("c", 0)).state, "yours");
  });

  test("whatever is asked for, the key is short and means nothing, and both of its parts are in one place", async () => {
    await store.keep("d\n{*}".repeat(10_000), { json: undefined, below: 1 }, life, undefined);
    const keys = await redis.ask((client) => client.keys("ashlar:cache:*"));
    for (const key of keys) equal(/^ashlar:cache:\{[\w-]{43}\}(:lease)?$/.test(key), true, key);
    const found = await store.find("d\n{*}".repeat(10_000), 0);
    deepEqual(found.state === "kept" && found.kept, { json: undefined, below: 1 });
  });

  test("it goes on after the store was started anew, and rejects at once while it is down", async () => {
    await server.kill();
    await rejects(store.find("e", 0));
    await server.restart();
    while (!redis.isUp()) await systemClock.sleep(5);
    equal(typeof (await leaseOf("e")), "string");
  });
});
