// A whole system whose events go through NATS: it serves while NATS is away, says so, and catches up.

import { deepEqual, equal } from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { encodeId, systemClock, systemRandom, uuidv7 } from "../base/index.ts";
import { anyone, event, integer, object, post, service } from "../contract/index.ts";
import { implement, migrationsOf, on } from "../service/index.ts";
import { createTestDatabase, needsNats, startTestNats, startTestSystem, type TestSystem } from "../testing/index.ts";

const folder = mkdtempSync(join(tmpdir(), "ashlar-migrations-"));
after(() => rm(folder, { recursive: true }));
writeFileSync(join(folder, "0001_pages.sql"), "create table pages (page integer);");

const turned = event("book.turned", { aggregate: "bok", summary: "A page", data: object({ page: integer() }) });
const books = service("books", {
  summary: "Emits",
  events: [turned],
  operations: {
    turn: post("/pages", { summary: "Turn", access: anyone, body: object({ page: integer() }), emits: [turned] }),
  },
});
const readers = service("readers", { summary: "Subscribes", subscribes: [turned.type] });
const book = encodeId("bok", uuidv7(systemClock, systemRandom));
const migrations = pathToFileURL(`${folder}/`);
const services = [
  implement(books, {
    migrations,
    handlers: {
      turn: (ctx, { body }) => ctx.transaction((tx) => ctx.emit(tx, turned, { aggregateId: book, data: body })),
    },
  }),
  implement(readers, {
    migrations,
    handlers: {},
    subscribers: [
      on(turned, async (_, { data }, tx) => void (await tx.query("insert into pages values ($1)", [data.page]))),
    ],
  }),
];

const definition = {
  name: "library",
  title: "Library",
  version: "0.0.0",
  contracts: [books, readers],
  services: () => services,
};

const turn = async (system: TestSystem, page: number) =>
  equal((await system.request("POST", "/v1/pages", { body: { page } })).status, 204);

async function pages(system: TestSystem): Promise<unknown[]> {
  return (await system.rows("readers", "select page from pages")).map(({ page }) => page);
}

/** Moves the clock, on which the bus and the relays try again, until health is so. */
async function healthWhen(system: TestSystem, status: string) {
  for (;;) {
    const { json } = await system.request("GET", "/health");
    if (json.status === status) return json.checks;
    await system.clock.advance(50);
  }
}

test(
  "events go through NATS; while it is away the system serves and says so, and then they arrive",
  needsNats,
  async (t) => {
    const nats = await startTestNats({ user: "ashlar", password: "ashlar" });
    t.after(() => nats.stop());
    const system = await startTestSystem({ definition, settings: { natsUrl: nats.url } });
    await turn(system, 1);
    await system.settled();
    deepEqual(await pages(system), [1]);
    equal((await healthWhen(system, "healthy")).queue.status, "up");

    await nats.kill();
    await turn(system, 2);
    await turn(system, 3);
    const { database, cache, queue } = await healthWhen(system, "degraded");
    deepEqual([database.status, cache.status, queue.status], ["up", "up", "down"]);
    deepEqual(await pages(system), [1]);

    await nats.restart({ wiped: true });
    equal((await healthWhen(system, "healthy")).queue.status, "up");
    await system.settled();
    deepEqual(await pages(system), [1, 2, 3]);
  },
);

test("a system stops although NATS hangs with its events, and the next one has them", needsNats, async (t) => {
  const nats = await startTestNats();
  t.after(() => nats.stop());
  const { url } = await createTestDatabase({ migrations: migrationsOf(services[0]!) });
  const other = await createTestDatabase({ migrations: migrationsOf(services[1]!) });
  const settings = { natsUrl: nats.url, databaseUrls: { books: url, readers: other.url } };
  const first = await startTestSystem({ definition, settings });
  await turn(first, 1);
  await first.settled();
  nats.pause();
  await turn(first, 2);
  const state = { stopped: false };
  const stopping = first.system.stop({ graceMs: 0 }).finally(() => (state.stopped = true));
  while (!state.stopped) await first.clock.advance(100);
  await stopping;
  nats.resume();
  const second = await startTestSystem({ definition, settings });
  await second.settled();
  deepEqual(await pages(second), [1, 2]);
});
