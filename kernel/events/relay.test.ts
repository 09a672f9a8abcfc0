import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, type Logger } from "../base/index.ts";
import { errors, Failure } from "../contract/index.ts";
import type { Database } from "../data/index.ts";
import { createTestDatabase } from "../testing/postgres.ts";
import { createPostgresBus } from "./bus.ts";
import { createGate, createWorld, openDatabase, tables, wrapBus } from "./fixture.ts";

const database = openDatabase(await createTestDatabase(tables));

test("an event whose transaction commits late is not skipped", async () => {
  const world = await createWorld(database);
  const relay = world.createRelay();
  world.bus.subscribe("catalog", world.createInbox().receive);

  const [emitted, mayCommit] = [createGate(), createGate()];
  const late = world.database.transaction(async (tx) => {
    await world.emit(tx, "ord_late", 1);
    emitted.open();
    await mayCommit.opened;
  });
  await emitted.opened;
  await world.emitAll(["ord_early", 1], ["ord_early", 2]);
  await relay.runOnce();
  deepEqual(await world.effects(), ["ord_early/1", "ord_early/2"]);

  mayCommit.open();
  await late;
  equal(await relay.runOnce(), 1);
  deepEqual(await world.effects(), ["ord_early/1", "ord_early/2", "ord_late/1"]);
});

test("a refused event holds back its own aggregate and no other", async () => {
  const world = await createWorld(database);
  const relay = world.createRelay();
  world.bus.subscribe("catalog", world.createInbox().receive);
  world.listener.refuse("ord_a", 1);
  await world.emitAll(["ord_a", 1], ["ord_a", 2], ["ord_b", 1], ["ord_b", 2]);

  await relay.runOnce();
  deepEqual(await world.effects(), ["ord_b/1", "ord_b/2"]);
  await relay.runOnce();
  equal((await world.effects()).length, 2, "the delay of the refused one has not passed");

  world.listener.accept("ord_a", 1);
  await world.clock.advance(1_000);
  await relay.runOnce();
  deepEqual(await world.effects(), ["ord_b/1", "ord_b/2", "ord_a/1", "ord_a/2"]);
  equal(await world.count("pending"), 0);
});

test("never has two events of one aggregate on the way to one subscriber", async () => {
  const bus = createPostgresBus();
  const batches: string[][] = [];
  const watched = wrapBus(bus, (deliver, events) => {
    batches.push(events.map((event) => event.aggregateId));
    return deliver();
  });
  const world = await createWorld(database, { bus: watched });
  bus.subscribe("catalog", world.createInbox().receive);
  await world.emitAll(["ord_a", 1], ["ord_a", 2], ["ord_b", 1], ["ord_a", 3]);
  await world.createRelay().runOnce();
  for (const batch of batches) equal(new Set(batch).size, batch.length);
  equal(batches.flat().length, 4);
});

test("when the answer to a delivery is lost, the event has its effect once", async () => {
  const bus = createPostgresBus();
  let losing = true;
  const lossy = wrapBus(bus, async (deliver) => {
    const outcomes = await deliver();
    if (losing) throw new Error("the answer was lost");
    return outcomes;
  });
  const world = await createWorld(database, { bus: lossy });
  bus.subscribe("catalog", world.createInbox().receive);
  await world.emitAll(["ord_a", 1], ["ord_a", 2]);

  equal(await world.createRelay().runOnce(), 0);
  equal(await world.count("pending"), 2);
  losing = false;
  // Another relay: the first one crashed, and its lease ran out.
  await expireLeases(world.database);
  equal(await world.createRelay().runOnce(), 2);
  deepEqual(await world.effects(), ["ord_a/1", "ord_a/2"]);
});

test("of two relays one works, and the other takes over when the lease has run out", async () => {
  const world = await createWorld(database);
  world.bus.subscribe("catalog", world.createInbox().receive);
  const [first, second] = [world.createRelay(), world.createRelay()];
  await first.runOnce();
  await world.emitAll(["ord_a", 1]);

  equal(await second.runOnce(), 0);
  equal(second.leads, false);
  await expireLeases(world.database);
  equal(await second.runOnce(), 1);
  ok(second.leads);
  await first.runOnce();
  equal(first.leads, false);
});

test("two relays that both believe they lead give each event its effect once and in order", async () => {
  const bus = createPostgresBus();
  const [reached, mayGoOn] = [createGate(), createGate()];
  let held = false;
  const slow = wrapBus(bus, async (deliver) => {
    if (!held) {
      held = true;
      reached.open();
      await mayGoOn.opened;
    }
    return deliver();
  });
  const world = await createWorld(database, { bus: slow });
  bus.subscribe("catalog", world.createInbox().receive);
  await world.emitAll(["ord_a", 1], ["ord_a", 2], ["ord_a", 3]);

  const sleepy = world.createRelay().runOnce();
  await reached.opened;
  await expireLeases(world.database);
  equal(await world.createRelay().runOnce(), 3);
  mayGoOn.open();
  await sleepy;
  deepEqual(await world.effects(), ["ord_a/1", "ord_a/2", "ord_a/3"]);
});

test("is woken by the commit and does not wait for its poll; stop waits for what is in hand and gives the lease back", async () => {
  const bus = createPostgresBus();
  const [reached, mayGoOn] = [createGate(), createGate()];
  const slow = wrapBus(bus, async (deliver) => {
    reached.open();
    await mayGoOn.opened;
    return deliver();
  });
  const world = await createWorld(database, { bus: slow });
  bus.subscribe("catalog", world.createInbox().receive);
  const relay = world.createRelay();
  world.wake = (subscribers) => relay.wake(subscribers);
  relay.start();
  await world.emitAll(["ord_a", 1]);
  await reached.opened;

  let stopped = false;
  const stopping = relay.stop().then(() => (stopped = true));
  await world.clock.advance(0);
  equal(stopped, false);
  mayGoOn.open();
  await stopping;
  deepEqual(await world.effects(), ["ord_a/1"]);
  equal(await world.count("pending"), 0);
  equal(await world.count("leases"), 0);
});

test("stop does not wait for a subscriber that is away: it gives up, and the event stays pending", async () => {
  const reached = createGate();
  const away = wrapBus(createPostgresBus(), () => {
    reached.open();
    // Not even when it is told that nobody waits any more.
    return new Promise(() => {});
  });
  const world = await createWorld(database, { bus: away });
  const relay = world.createRelay({ limits: { stopMs: 3_000 } });
  await world.emitAll(["ord_a", 1]);
  relay.start();
  await reached.opened;

  let stopped = false;
  const stopping = relay.stop().then(() => (stopped = true));
  await world.clock.advance(2_999);
  equal(stopped, false);
  await world.clock.advance(1);
  await stopping;
  equal(await world.count("pending"), 1);
  equal(await world.count("leases"), 0);
});

test("can be stopped and started again, and goes on where it was", async () => {
  const world = await createWorld(database);
  const handled = createGate();
  const inbox = world.createInbox();
  world.bus.subscribe("catalog", async (events) => {
    const outcomes = await inbox.receive(events);
    if (events.some((event) => event.version === 2)) handled.open();
    return outcomes;
  });
  const relay = world.createRelay();
  relay.start();
  await relay.stop();
  await world.emitAll(["ord_a", 1], ["ord_a", 2]);
  deepEqual(await world.effects(), []);

  relay.start();
  await handled.opened;
  await relay.stop();
  deepEqual(await world.effects(), ["ord_a/1", "ord_a/2"]);
  equal(await world.count("pending"), 0);
});

test("finds events of another process, which cannot wake it, by polling", async (t) => {
  const world = await createWorld(database);
  const [idle, handled] = [createGate(), createGate()];
  const inbox = world.createInbox();
  world.bus.subscribe("catalog", async (events) => {
    const outcomes = await inbox.receive(events);
    if (events[0]!.aggregateId === "ord_first") idle.open();
    else handled.open();
    return outcomes;
  });
  const relay = world.createRelay();
  await world.emitAll(["ord_first", 1]);
  relay.start();
  await idle.opened;
  await world.emitAll(["ord_second", 1]);
  const polling = setInterval(() => void world.clock.advance(250), 1);
  t.after(() => clearInterval(polling));
  await handled.opened;
  clearInterval(polling);
  await relay.stop();
  equal(await world.count("pending"), 0);
});

test("a subscriber that is away holds back nobody else, and gets everything when it is back", async () => {
  const world = await createWorld(database, { subscribers: ["catalog", "identity"] });
  const relay = world.createRelay();
  world.bus.subscribe("catalog", world.createInbox().receive);
  await world.emitAll(["ord_a", 1], ["ord_b", 1]);
  equal(await relay.runOnce(), 2);
  equal(await world.count("pending"), 2);

  const heard: string[] = [];
  world.bus.subscribe("identity", async (events) => {
    heard.push(...events.map((event) => event.aggregateId));
    return events.map(({ id }) => ({ id, state: "confirmed" as const }));
  });
  await world.clock.advance(5_000);
  equal(await relay.runOnce(), 2);
  deepEqual(heard, ["ord_a", "ord_b"]);
});

test("an event that nobody answers is given up after a time limit and delivered again", async () => {
  const bus = createPostgresBus();
  const reached = createGate();
  let silent = true;
  const mute = wrapBus(bus, (deliver) => {
    if (!silent) return deliver();
    reached.open();
    return new Promise(() => {});
  });
  const world = await createWorld(database, { bus: mute });
  bus.subscribe("catalog", world.createInbox().receive);
  await world.emitAll(["ord_a", 1]);
  const relay = world.createRelay({ limits: { deliverTimeoutMs: 2_000 } });
  const first = relay.runOnce();
  await reached.opened;
  await world.clock.advance(2_000);
  equal(await first, 0);

  silent = false;
  await world.clock.advance(5_000);
  equal(await relay.runOnce(), 1);
  deepEqual(await world.effects(), ["ord_a/1"]);
});

test("goes on by itself when the database was away, and says so once", async () => {
  const world = await createWorld(database);
  world.bus.subscribe("catalog", world.createInbox().receive);
  let away = true;
  const unavailable = () =>
    Promise.reject(new Failure(errors.unavailable, "The database is not available at the moment"));
  const unreliable: Database = {
    ...database,
    query: (sql, values) => (away ? unavailable() : database.query(sql, values)),
  };
  const lines: string[] = [];
  const log: Logger = {
    ...silentLogger,
    warn: (_, message) => lines.push(message),
    info: (_, message) => lines.push(message),
    child: () => log,
  };
  const relay = world.createRelay({ database: unreliable, log });
  await world.emitAll(["ord_a", 1]);
  for (let time = 0; time < 5; time++) {
    equal(await relay.runOnce(), 0);
    await world.clock.advance(1_000);
  }
  away = false;
  equal(await relay.runOnce(), 1);
  deepEqual(lines, [
    "Relaying events of orders fails; trying again until it works",
    "Relaying events of orders works again",
  ]);
});

test("delivers although every connection was cut in the middle", async () => {
  const bus = createPostgresBus();
  let cuts = 0;
  const cutting = wrapBus(bus, async (deliver) => {
    const outcomes = await deliver();
    cuts += 1;
    if (cuts === 1) {
      await world.database.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
      );
    }
    return outcomes;
  });
  const world = await createWorld(database, { bus: cutting });
  bus.subscribe("catalog", world.createInbox().receive);
  await world.emitAll(["ord_a", 1], ["ord_a", 2], ["ord_b", 1]);
  const relay = world.createRelay();
  for (
    let time = 0;
    time < 10 &&
    (await relay.runOnce().then(
      () => world.count("pending"),
      () => 1,
    )) > 0;
    time++
  )
    await world.clock.advance(5_000);
  deepEqual((await world.effects()).toSorted(), ["ord_a/1", "ord_a/2", "ord_b/1"]);
  equal(await world.count("pending"), 0);
});

test("with too many aggregates waiting the lane waits for the first of them, and forgets none", async () => {
  const world = await createWorld(database);
  world.bus.subscribe("catalog", world.createInbox().receive);
  const relay = world.createRelay({ limits: { waitingMax: 2, batchSize: 2, batchesInFlightMax: 1 } });
  for (const name of ["a", "b"]) world.listener.refuse(`ord_${name}`, 1);
  await world.emitAll(["ord_a", 1], ["ord_b", 1], ["ord_c", 1]);
  await relay.runOnce();
  deepEqual(await world.effects(), []);
  for (const name of ["a", "b"]) world.listener.accept(`ord_${name}`, 1);
  await world.clock.advance(1_000);
  await relay.runOnce();
  deepEqual((await world.effects()).toSorted(), ["ord_a/1", "ord_b/1", "ord_c/1"]);
});

test("under load events gather for a moment, so that several go at once; a lone event goes at once", async () => {
  const batches: number[] = [];
  const handed: ReturnType<typeof createGate>[] = [createGate(), createGate(), createGate()];
  const bus = createPostgresBus();
  const counted = wrapBus(bus, (deliver, events) => {
    batches.push(events.length);
    return deliver().finally(() => handed[batches.length - 1]?.open());
  });
  const world = await createWorld(database, { bus: counted });
  bus.subscribe("catalog", world.createInbox().receive);
  const relay = world.createRelay({ limits: { gatherMs: 20 } });
  world.wake = (subscribers) => relay.wake(subscribers);
  relay.start();

  await world.emitAll(["ord_a", 1]);
  await handed[0]!.opened;
  await world.database.transaction(async (tx) => {
    await Promise.all(["ord_b", "ord_c"].map((aggregateId) => world.emit(tx, aggregateId, 1)));
  });
  await world.clock.advance(20);
  await handed[1]!.opened;
  await world.emitAll(["ord_d", 1], ["ord_e", 1], ["ord_f", 1]);
  await world.clock.advance(19);
  deepEqual(batches, [1, 2], "after several more are expected");
  await world.clock.advance(1);
  await handed[2]!.opened;
  deepEqual(batches, [1, 2, 3]);
  await relay.stop();
});

test("more than a batch does not wait, and events in hand hold back others for a moment only", async () => {
  const batches: number[] = [];
  const [full, next, mayEnd] = [createGate(), createGate(), createGate()];
  const bus = createPostgresBus();
  const held = wrapBus(bus, async (deliver, events) => {
    batches.push(events.length);
    if (batches.length === 3) full.open();
    if (batches.length === 4) next.open();
    await mayEnd.opened;
    return deliver();
  });
  const world = await createWorld(database, { bus: held });
  bus.subscribe("catalog", world.createInbox().receive);
  await world.emitAll(["ord_a", 1], ["ord_b", 1], ["ord_c", 1], ["ord_d", 1], ["ord_e", 1]);
  const relay = world.createRelay({ limits: { gatherMs: 20, batchSize: 2, batchesInFlightMax: 4 } });
  world.wake = (subscribers) => relay.wake(subscribers);
  relay.start();
  await full.opened;
  deepEqual(batches, [2, 2, 1]);
  await world.emitAll(["ord_f", 1]);
  await world.clock.advance(20);
  await next.opened;
  deepEqual(batches, [2, 2, 1, 1]);
  mayEnd.open();
  await relay.stop();
  equal(await world.count("pending"), 0);
});

test("what waits behind events in hand goes as soon as those are dealt with", async () => {
  const world = await createWorld(database);
  world.bus.subscribe("catalog", world.createInbox().receive);
  await world.emitAll(["ord_a", 1], ["ord_b", 1], ["ord_a", 2], ["ord_b", 2], ["ord_a", 3]);
  const relay = world.createRelay({ limits: { gatherMs: 20 } });
  relay.start();
  // The clock stands still.
  for (let round = 0; round < 1_000 && (await world.count("pending")) > 0; round++);
  equal(await world.count("pending"), 0);
  deepEqual(
    (await world.effects()).filter((effect) => effect.startsWith("ord_a")),
    ["ord_a/1", "ord_a/2", "ord_a/3"],
  );
  await relay.stop();
});

test("removes delivered events after the retention, a bounded number at a time, and never one that is pending", async () => {
  const world = await createWorld(database, { subscribers: ["catalog", "identity"] });
  const relay = world.createRelay({ limits: { retentionMs: 60_000, purgeEveryMs: 10_000, purgeSize: 2 } });
  const receive = world.createInbox().receive;
  world.bus.subscribe("catalog", receive);
  await world.emitAll(["ord_a", 1], ["ord_b", 1], ["ord_c", 1]);
  await relay.runOnce();
  await world.clock.advance(61_000);
  await relay.runOnce();
  equal(await world.count("outbox"), 3, "identity has not confirmed");

  world.bus.subscribe("identity", async (events) => events.map(({ id }) => ({ id, state: "confirmed" as const })));
  await world.clock.advance(5_000);
  await relay.runOnce();
  await world.clock.advance(10_000);
  await relay.runOnce();
  equal(await world.count("outbox"), 1);
  await relay.runOnce();
  equal(await world.count("outbox"), 0);
});

async function expireLeases(database: Database): Promise<void> {
  await database.query("update ashlar.leases set expires_at = now() - interval '1 second'");
}
