import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { errors, Failure } from "../contract/index.ts";
import { createTestDatabase } from "../testing/postgres.ts";
import { dropDead, listDead, replayDead } from "./admin.ts";
import { createGate, createWorld, openDatabase, tables, type World } from "./fixture.ts";

const database = openDatabase(await createTestDatabase(tables));

/** `ord_a/1` is poison with 2 and 3 behind it; so is `ord_b/1`. */
async function createDead() {
  const world = await createWorld(database);
  const inbox = world.createInbox({ limits: { triesMax: 1 } });
  world.listener.refuse("ord_a", 1);
  world.listener.refuse("ord_b", 1);
  const events = await world.emitAll(["ord_a", 1], ["ord_b", 1], ["ord_a", 2], ["ord_a", 3]);
  await inbox.receive(events);
  return { world, inbox, events };
}

async function deadOf(world: World): Promise<string[]> {
  return (await listDead(world.database, { limit: 100 })).map(
    ({ aggregateId, envelope }) => `${aggregateId}/${envelope.version}`,
  );
}

test("a replay has the aggregate's events in order, once, and leaves the others alone", async () => {
  const { world, inbox, events } = await createDead();
  world.listener.accept("ord_a", 1);
  equal(await inbox.runOnce(), 0, "nobody has asked yet");
  equal(await replayDead(world.database, { id: events[2]!.id }), 3);
  equal(await inbox.runOnce(), 3);
  deepEqual(await world.effects(), ["ord_a/1", "ord_a/2", "ord_a/3"]);
  deepEqual(await deadOf(world), ["ord_b/1"]);

  await inbox.receive(await world.emitAll(["ord_a", 4]));
  await inbox.receive(events);
  deepEqual(await world.effects(), ["ord_a/1", "ord_a/2", "ord_a/3", "ord_a/4"]);
});

test("a letter that fails again stays with its new reason, and those behind it wait; other aggregates go", async () => {
  const { world, inbox } = await createDead();
  world.listener.refuse("ord_a", 1, () => new Error("still broken"));
  world.listener.accept("ord_b", 1);
  equal(await replayDead(world.database, "all"), 4);
  await inbox.runOnce();
  deepEqual(await world.effects(), ["ord_b/1"]);
  const letters = await listDead(world.database, { limit: 100 });
  deepEqual(
    letters.map(({ envelope, reason, tries, replayRequested }) => [envelope.version, reason, tries, replayRequested]),
    [
      [1, "still broken", 2, false],
      [2, `behind ${letters[0]!.id}`, 0, false],
      [3, `behind ${letters[0]!.id}`, 0, false],
    ],
  );
});

test("a replay that finds something else down stays asked for, and is done later", async () => {
  const { world, inbox, events } = await createDead();
  world.listener.refuse("ord_a", 1, () => new Failure(errors.unavailable, "down"));
  await replayDead(world.database, { id: events[0]!.id });
  equal(await inbox.runOnce(), 0);
  world.listener.accept("ord_a", 1);
  equal(await inbox.runOnce(), 3);
});

test("a dropped letter has no effect, and those behind it can be replayed without it", async () => {
  const { world, inbox, events } = await createDead();
  equal(await dropDead(world.database, events[0]!.id), true);
  equal(await dropDead(world.database, events[0]!.id), false);
  await replayDead(world.database, { id: events[2]!.id });
  await inbox.runOnce();
  deepEqual(await world.effects(), ["ord_a/2", "ord_a/3"]);
  await rejects(dropDead(world.database, "ord_1"), /is not the id of an event/);
});

test("an event that arrives while the last letter is replayed comes after it and does not stay behind", async () => {
  const { world, events } = await createDead();
  await dropDead(world.database, events[2]!.id);
  await dropDead(world.database, events[3]!.id);
  world.listener.accept("ord_a", 1);
  await replayDead(world.database, { id: events[0]!.id });

  const [handling, mayGoOn] = [createGate(), createGate()];
  const inbox = world.createInbox({
    handlers: new Map([
      [
        "order.stepped",
        async (event, tx, signal) => {
          if (event.version === 1) {
            handling.open();
            await mayGoOn.opened;
          }
          await world.listener.handler(event, tx, signal);
        },
      ],
    ]),
  });
  const replaying = inbox.runOnce();
  await handling.opened;
  const receiving = inbox.receive(await world.emitAll(["ord_a", 4]));
  // It has seen the letter and waits for its aggregate.
  await until(async () => {
    const { rows } = await world.database.query(
      "select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())",
    );
    return rows[0]!.count === 1;
  });
  mayGoOn.open();
  await Promise.all([replaying, receiving]);
  deepEqual(await world.effects(), ["ord_a/1", "ord_a/4"]);
  deepEqual(await deadOf(world), ["ord_b/1"]);
});

test("two processes of a service that replay at once have each effect once", async () => {
  const { world, inbox } = await createDead();
  world.listener.accept("ord_a", 1);
  world.listener.accept("ord_b", 1);
  await replayDead(world.database, "all");
  await Promise.all([inbox.runOnce(), world.createInbox().runOnce()]);
  const effects = await world.effects();
  deepEqual(
    effects.filter((effect) => effect.startsWith("ord_a")),
    ["ord_a/1", "ord_a/2", "ord_a/3"],
  );
  equal(effects.length, 4);
  deepEqual(await deadOf(world), []);
});

test("a started inbox does what is asked for by itself, and stops", async () => {
  const { world, events } = await createDead();
  const replayed = createGate();
  world.listener.accept("ord_b", 1);
  await replayDead(world.database, { id: events[1]!.id });
  const inbox = world.createInbox({
    handlers: new Map([
      [
        "order.stepped",
        async (event, tx, signal) => {
          await world.listener.handler(event, tx, signal);
          replayed.open();
        },
      ],
    ]),
  });
  inbox.start();
  await replayed.opened;
  await inbox.stop();
  deepEqual(await world.effects(), ["ord_b/1"]);
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds()));
}
