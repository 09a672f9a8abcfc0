// Nobody can tell either whether NATS and Redis are beside the processes.

import { deepEqual, ok } from "node:assert/strict";
import { after, test } from "node:test";
import { silentLogger, systemClock } from "ashlar/base";
import { openRedis } from "ashlar/redis";
import { needsNats, needsRedis, startTestNats, startTestRedis } from "ashlar/testing";
import { compare } from "./compare.ts";
import { openSide } from "./twin.ts";

const requestCount = 1_000;
const needsBoth = { ...needsNats, ...needsRedis };

test(
  `the store in one process without NATS and Redis and in many on them answers ${requestCount.toLocaleString("en")} random requests alike, and leaves the same rows and events`,
  needsBoth,
  async () => {
    const [nats, redis] = [await startTestNats({ user: "ashlar", password: "ashlar" }), await startTestRedis()];
    after(() => Promise.all([nats.stop(), redis.stop()]));
    const many = await openSide("split", { settings: { natsUrl: nats.url, redisUrl: redis.url } });
    await compare(await openSide("single"), many, requestCount, 20_261_125);

    // What was compared did lie in the one and go through the other.
    const { json } = await many.system.request("GET", "/health");
    deepEqual([json.status, json.checks.cache.status, json.checks.queue.status], ["healthy", "up", "up"]);
    const store = await openRedis({ url: redis.url, name: "test", clock: systemClock, log: silentLogger });
    ok((await store.ask((client) => client.keys("ashlar:cache:*"))).length > 0);
    await store.close();
  },
);
