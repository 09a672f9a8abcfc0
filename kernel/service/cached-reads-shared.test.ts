// Two processes, one database, one shared store; and what they do when the store dies.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "../base/index.ts";
import { createTestDatabase, needsRedis, startTestRedis, startTestSystem, type TestSystem } from "../testing/index.ts";
import { library, libraryService } from "./library/library.ts";
import { migrationsOf } from "./running.ts";

describe("with a shared store", needsRedis, async () => {
  if (needsRedis.skip !== undefined) return;
  const loaded: string[] = [];
  const implementation = libraryService((what) => void loaded.push(what));
  const { url } = await createTestDatabase({ migrations: migrationsOf(implementation) });
  const redis = await startTestRedis();
  const start = () =>
    startTestSystem({
      definition: {
        name: "library",
        title: "Library",
        version: "0.0.0",
        contracts: [library],
        services: () => [implementation],
      },
      settings: { databaseUrls: { library: url }, redisUrl: redis.url },
    });
  const [here, there] = [await start(), await start()] as [TestSystem, TestSystem];
  const librarian = await here.authorization({ roles: ["librarian"] });
  const newBook = async () => {
    const body = { title: "Emma", shelf: "A1" };
    const { status, json } = await here.request("POST", "/v1/books", { authorization: librarian, body });
    assert.equal(status, 201);
    return json.id as string;
  };
  const count = async (system: TestSystem) => (await system.request("GET", "/v1/book-count")).json.count;
  const checked = async () => (await here.request("GET", "/health")).json;

  test("what one process has loaded, the other does not load; what one has changed, both see", async () => {
    assert.equal(await count(here), 0);
    assert.equal(await count(there), 0);
    assert.deepEqual(loaded, ["books"]);
    await newBook();
    assert.equal(await count(here), 1);
    await there.clock.advance(1_000);
    assert.equal(await count(there), 1);
  });

  test("while it is down every read is served from the database, writes count, and it comes back by itself", async () => {
    const id = await newBook();
    const read = (path: string, system = here) => system.request("GET", path);
    assert.equal((await read(`/v1/books/${id}`)).status, 200);
    await redis.kill();
    const paths = [`/v1/books/${id}`, "/v1/books", "/v1/book-count", "/v1/shelves/A1"];
    for (const path of [...paths, ...paths])
      for (const system of [here, there]) assert.equal((await read(path, system)).status, 200);
    const before = await count(here);
    await newBook();
    assert.equal(await count(here), before + 1);
    assert.deepEqual([(await checked()).status, (await checked()).checks.cache.status], ["degraded", "down"]);

    await redis.restart();
    const startedAtMs = systemClock.nowMs();
    while ((await checked()).status !== "healthy") await systemClock.sleep(10);
    assert.ok(systemClock.nowMs() - startedAtMs < 2_000);
    loaded.length = 0;
    for (const system of [here, there]) {
      await system.clock.advance(60_000);
      assert.equal(await count(system), before + 1);
    }
    assert.deepEqual(loaded, ["books"]);
  });
});
