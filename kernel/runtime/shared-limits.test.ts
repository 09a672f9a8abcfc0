// Whole systems that share their limits, over HTTP: in one process here, each with a connection and a clock of its own.

import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { encodeId, systemClock, systemRandom, uuidv7 } from "../base/index.ts";
import { anyone, get, object, post, service, text } from "../contract/index.ts";
import { implement } from "../service/index.ts";
import { needsRedis, startTestRedis, startTestSystem, type TestRedis, type TestSystem } from "../testing/index.ts";
import type { SystemSettings } from "./definition.ts";

const folder = mkdtempSync(join(tmpdir(), "ashlar-migrations-"));
after(() => rm(folder, { recursive: true }));

const shop = service("shop", {
  summary: "A shop",
  operations: {
    browse: get("/things", { summary: "Look", access: anyone, returns: object({ name: text({ max: 9 }) }) }),
    count: get("/counts", {
      summary: "Count all there is",
      access: anyone,
      returns: object({ name: text({ max: 9 }) }),
      limit: { class: "default", cost: 5 },
    }),
    login: post("/logins", {
      summary: "Log in",
      access: anyone,
      body: object({ email: text({ max: 200 }) }),
      limit: { class: "auth", account: "email" },
    }),
  },
});
const shopService = implement(shop, {
  migrations: pathToFileURL(`${folder}/`),
  handlers: {
    browse: async () => ({ name: "a thing" }),
    count: async () => ({ name: "one" }),
    login: async () => {},
  },
});
const limits: SystemSettings["limits"] = {
  default: { maxRequests: 20, windowMs: 3_600_000 },
  anonymous: { maxRequests: 100, windowMs: 60_000 },
  auth: { maxRequests: 6, windowMs: 3_600_000 },
};

const startShop = (redisUrl: string | undefined, settings: Partial<SystemSettings> = {}) =>
  startTestSystem({
    definition: { name: "shop", title: "Shop", version: "0.0.0", contracts: [shop], services: () => [shopService] },
    settings: { redisUrl, limits, ...settings },
  });

async function startTwo(settings: Partial<SystemSettings> = {}): Promise<{ redis: TestRedis; systems: TestSystem[] }> {
  const redis = await startTestRedis();
  after(() => redis.stop());
  return { redis, systems: [await startShop(redis.url, settings), await startShop(redis.url, settings)] };
}

/** The statuses of so many requests at once, spread over the systems. */
async function statuses(
  systems: readonly TestSystem[],
  count: number,
  ask: (system: TestSystem, index: number) => Promise<{ status: number }>,
): Promise<{ passed: number; refused: number }> {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, index) => ask(systems[index % systems.length]!, index)),
  );
  const refused = answers.filter(({ status }) => status === 429).length;
  const passed = answers.filter(({ status }) => status < 300).length;
  equal(passed + refused, count, "no other answer");
  return { passed, refused };
}

const browse = (system: TestSystem) => system.request("GET", "/v1/things");
const login = (system: TestSystem, email: string) => system.request("POST", "/v1/logins", { body: { email } });
const numbersOf = ({ headers }: { headers: Headers }) =>
  ["limit", "remaining", "reset"].map((name) => Number(headers.get(`x-ratelimit-${name}`)));

/** Asks for health until it is so: how the store is noticed is the business of the connection. */
async function healthWhen(system: TestSystem, status: string) {
  const startMs = performance.now();
  for (;;) {
    const health = await system.request("GET", "/health");
    if (health.json.status === status) return { health, afterMs: performance.now() - startMs };
    ok(performance.now() - startMs < 10_000, health.text);
  }
}

test(
  "G15 of 10,000 requests to two gateways the capacity passes, and what flows in meanwhile",
  needsRedis,
  async () => {
    const { systems } = await startTwo();
    const startMs = performance.now();
    let passed = 0;
    for (let round = 0; round < 50; round++) passed += (await statuses(systems, 200, browse)).passed;
    const elapsedMs = performance.now() - startMs;
    ok(passed >= 100 && passed <= 100 + (elapsedMs * 100) / 60_000, `${passed} in ${elapsedMs} ms`);
  },
);

test(
  "G14 clocks five minutes apart say the same: what is left, when it is full, and when to come back",
  needsRedis,
  async () => {
    const { systems } = await startTwo();
    const [one, other] = systems as [TestSystem, TestSystem];
    await other.clock.advance(300_000);
    const seconds = () => Math.floor(Date.now() / 1000);
    const [first, second] = [numbersOf(await browse(one)), numbersOf(await browse(other))];
    deepEqual(
      [first.slice(0, 2), second.slice(0, 2)],
      [
        [100, 99],
        [100, 98],
      ],
    );
    // Neither by the clocks of the processes, which stand still in another year, but by the store's.
    for (const reset of [first[2]!, second[2]!]) ok(reset >= seconds() - 5 && reset <= seconds() + 5, String(reset));
    ok(second[2]! >= first[2]!);
    for (let count = 0; count < 6; count++) await login(systems[count % 2]!, `${count}@example.com`);
    const refusals = [await login(one, "a@example.com"), await login(other, "b@example.com")];
    for (const { status, headers } of refusals) {
      equal(status, 429);
      // A sixth of an hour each.
      ok(Math.abs(Number(headers.get("retry-after")) - 600) < 30);
      match(headers.get("ratelimit")!, /^"auth";r=0;t=3(59\d|600)$/);
    }
  },
);

test(
  "G04 the buckets of a user, of an address or its network, and of an account are shared, each for itself",
  needsRedis,
  async () => {
    const { systems } = await startTwo({
      limits: { ...limits, auth: { maxRequests: 6, windowMs: 3_600_000 } },
      trustedProxies: ["127.0.0.1"],
    });
    const userId = encodeId("usr", uuidv7(systemClock, systemRandom));
    const authorizations = await Promise.all(systems.map((system) => system.authorization({ userId })));
    const asUser = (system: TestSystem, index: number) =>
      system.request("GET", "/v1/things", { authorization: authorizations[index % 2]! });
    equal((await statuses(systems, 60, asUser)).passed, 20);
    // From sixty addresses, to one account, however it is written.
    const toOneAccount = (system: TestSystem, index: number) =>
      system.request("POST", "/v1/logins", {
        body: { email: index % 3 === 0 ? "Ann@Example.com" : "ann@example.com" },
        headers: { "x-forwarded-for": `203.0.113.${index}` },
      });
    equal((await statuses(systems, 60, toOneAccount)).passed, 6);
    // From one network of an IPv6 customer, to sixty accounts.
    const fromOneNetwork = (system: TestSystem, index: number) =>
      system.request("POST", "/v1/logins", {
        body: { email: `${index}@example.com` },
        headers: { "x-forwarded-for": `2001:db8:1:2::${index.toString(16)}` },
      });
    equal((await statuses(systems, 60, fromOneNetwork)).passed, 6);
    equal((await statuses(systems, 10, browse)).passed, 10);
  },
);

test("an operation costs what its contract says, and the documents say so too", needsRedis, async () => {
  const { systems } = await startTwo();
  const userId = encodeId("usr", uuidv7(systemClock, systemRandom));
  for (const [index, remaining] of [15, 10, 5, 0].entries()) {
    const system = systems[index % 2]!;
    const answer = await system.request("GET", "/v1/counts", { authorization: await system.authorization({ userId }) });
    deepEqual([answer.status, numbersOf(answer)[1]], [200, remaining]);
  }
  const [system] = systems as [TestSystem];
  const refused = await system.request("GET", "/v1/counts", { authorization: await system.authorization({ userId }) });
  equal(refused.status, 429);
  // Four of these cost an hour's twenty, so one comes back in a quarter of an hour.
  ok(Math.abs(Number(refused.headers.get("retry-after")) - 900) < 30);
  const { json } = await system.request("GET", "/openapi.json");
  match(json.paths["/v1/counts"].get.description, /Counts as 5 requests\./);
});

test("without a store the memory of the process counts the same way, costs too", async () => {
  const system = await startShop(undefined);
  const authorization = await system.authorization();
  for (const remaining of [15, 10, 5, 0])
    deepEqual(numbersOf(await system.request("GET", "/v1/counts", { authorization }))[1], remaining);
  equal((await system.request("GET", "/v1/counts", { authorization })).status, 429);
  equal((await system.request("GET", "/health")).json.status, "healthy");
});

test(
  "the store killed in the middle: requests go on, auth keeps to a share, health says so; back, it is one bucket again",
  needsRedis,
  async () => {
    const { redis, systems } = await startTwo();
    equal((await healthWhen(systems[0]!, "healthy")).health.json.checks.cache.status, "up");
    equal((await statuses(systems, 40, (system, index) => login(system, `${index}@example.com`))).passed, 6);
    const running = statuses(systems, 200, browse);
    await redis.kill();
    const { passed } = await running;
    ok(passed >= 50 && passed <= 200, String(passed));
    for (const system of systems) {
      const { health } = await healthWhen(system, "degraded");
      deepEqual(
        [health.status, health.json.checks.cache.status, health.json.checks.database.status],
        [200, "down", "up"],
      );
      equal(/127\.0\.0\.1|localhost|redis|\d{5}/i.test(JSON.stringify(health.json.checks)), false, health.text);
      equal((await system.request("GET", "/health/ready")).status, 200);
    }
    // A share is half: three in each of the two, and the accounts are counted apart.
    equal((await statuses(systems, 40, (system, index) => login(system, `${index}@example.net`))).passed, 6);
    for (const system of systems) {
      const answer = await login(system, "more@example.net");
      deepEqual([answer.status, numbersOf(answer).slice(0, 2)], [429, [3, 0]]);
      // The clock of the process counts now, and Retry-After is true by it.
      const waitMs = Number(answer.headers.get("retry-after")) * 1000;
      await system.clock.advance(waitMs - 1000);
      equal((await login(system, "more@example.net")).status, 429);
      await system.clock.advance(1000);
      equal((await login(system, "more@example.net")).status, 204);
    }
    await redis.restart();
    for (const system of systems) {
      const { afterMs } = await healthWhen(system, "healthy");
      ok(afterMs < 2_000, `${afterMs} ms`);
    }
    equal((await statuses(systems, 40, (system, index) => login(system, `${index}@example.org`))).passed, 6);
  },
);

test(
  "a store that hangs holds a request up for a tenth of a second, and the next ones not at all",
  needsRedis,
  async () => {
    const { redis, systems } = await startTwo();
    const [system] = systems as [TestSystem];
    redis.pause();
    const answers: { headers: Headers }[] = [];
    void browse(system).then((answer) => answers.push(answer));
    // The request has to arrive before time moves on.
    while (answers.length === 0) await system.clock.advance(10);
    equal(numbersOf(answers[0]!)[0], 50, "by its own share");
    // Nobody moves the clock: these wait for nothing.
    equal((await statuses([system], 100, browse)).passed, 49);
    const { health } = await healthWhen(system, "degraded");
    equal(health.json.checks.cache.status, "down");
    redis.resume();
    ok((await healthWhen(system, "healthy")).afterMs < 2_000);
    equal(numbersOf(await browse(system))[0], 100, "counted in the store");
  },
);

test("a system starts without its store, serves, and finds it when it comes", needsRedis, async () => {
  const redis = await startTestRedis();
  after(() => redis.stop());
  await redis.kill();
  const system = await startShop(redis.url);
  deepEqual(numbersOf(await browse(system))[0], 50);
  await healthWhen(system, "degraded");
  await redis.restart();
  await healthWhen(system, "healthy");
  deepEqual(numbersOf(await browse(system))[0], 100);
});

test("a system does not start with a limit that an operation could never pass", async () => {
  const start = (limit: SystemSettings["limits"]) => startShop(undefined, { limits: { ...limits, ...limit } });
  const tooSmall = { maxRequests: 4, windowMs: 60_000 };
  await rejects(start({ default: tooSmall }), /shop\.count costs 5, and the limit "default" lets 4 through/);
  // Who is not signed in, or comes with an API key, is counted elsewhere.
  await rejects(start({ anonymous: tooSmall }), /the limit "anonymous"/);
  await rejects(start({ machine: tooSmall }), /the limit "machine"/);
});
