// NATS is killed, wiped, frozen, and away for longer than it knows the ids of messages. What must hold is what
// must always hold: every event has its effect once, and those of an aggregate in their order.

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { createTestDatabase } from "../../testing/postgres.ts";
import { needsNats, startTestNats, type TestNats } from "../../testing/index.ts";
import type { Bus } from "../bus.ts";
import { createWorld, openDatabase, tables, type World } from "../fixture.ts";
import { newSystem, openBus } from "./fixture.ts";
import type { NatsLimits } from "./limits.ts";

const database = openDatabase(await createTestDatabase(tables));

const aggregates = ["ord_a", "ord_b", "ord_c", "ord_d", "ord_e"];
/** Every wait of NATS, and for NATS, is short; what is waited for in tests is an event each time. */
const short: Partial<NatsLimits> = {
  dedupWindowMs: 100,
  ageMaxMs: 60_000,
  ackWaitMs: 1_000,
  outcomeTimeoutMs: 2_000,
  publishTimeoutMs: 500,
  answerTimeoutMs: 1_000,
  pingMs: 200,
  pauseMinMs: 10,
  pauseMaxMs: 50,
  closeMs: 200,
};

/** A relay and its bus here, the subscriber with a bus of its own there. */
async function startWorld(t: TestContext, server: TestNats, options: { subscribers?: string[]; system?: string } = {}) {
  const system = options.system ?? newSystem();
  const here = await openBus(t, server, { system, limits: short });
  const there = await openBus(t, server, { system, limits: short });
  const world = await createWorld(database, { bus: here, ...options });
  const relay = world.createRelay({ limits: { batchSize: 4 } });
  world.wake = (subscribers) => relay.wake(subscribers);
  t.after(() => relay.stop());
  relay.start();
  return { world, here, there, system };
}

async function manage(t: TestContext, server: TestNats) {
  const operator = await connect({ servers: server.url });
  t.after(() => operator.close());
  return jetstreamManager(operator);
}

/** As an operator would who wants it in files; what else it has to be, the bus sees to. */
async function makeStreamInFiles(t: TestContext, server: TestNats): Promise<string> {
  const system = newSystem();
  const { streams } = await manage(t, server);
  const config = { subjects: [`ashlar.${system}.events.>`], retention: RetentionPolicy.Workqueue };
  await streams.add({ name: `ashlar-${system}`, storage: StorageType.File, ...config });
  return system;
}

async function startServer(t: TestContext): Promise<TestNats> {
  const server = await startTestNats();
  t.after(() => server.stop());
  return server;
}

/** Moves the clock of the relay, on which it polls and pauses, until it is so. */
async function until(world: World, isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await world.clock.advance(20);
}

const steps = new Map<string, number>();
/** One more event of every aggregate. */
async function emitRound(world: World): Promise<void> {
  for (const aggregate of aggregates) {
    const step = (steps.get(aggregate) ?? 0) + 1;
    steps.set(aggregate, step);
    await world.emitAll([aggregate, step]);
  }
}

async function allOnceAndInOrder(world: World): Promise<void> {
  await until(world, async () => (await world.count("pending")) === 0);
  const effects = await world.effects();
  for (const aggregate of aggregates) {
    deepEqual(
      effects.filter((effect) => effect.startsWith(`${aggregate}/`)),
      Array.from({ length: steps.get(aggregate)! }, (_, index) => `${aggregate}/${index + 1}`),
    );
  }
}

const isAway = (bus: Bus) =>
  bus.ping!().then(
    () => false,
    () => true,
  );

for (const wiped of [false, true]) {
  test(
    `NATS is killed amid events, away for longer than its window, and back ${wiped ? "empty" : "with its store"}`,
    needsNats,
    async (t) => {
      steps.clear();
      const server = await startServer(t);
      const system = wiped ? newSystem() : await makeStreamInFiles(t, server);
      const { world, here, there } = await startWorld(t, server, { system });
      there.subscribe("catalog", world.createInbox().receive);
      for (let round = 0; round < 10; round++) await emitRound(world);
      await until(world, async () => (await world.effects()).length >= 10);

      await server.kill();
      const awaySinceMs = performance.now();
      // The store goes on, and what it announces waits in the outbox.
      while (performance.now() - awaySinceMs < 3 * short.dedupWindowMs!) await emitRound(world);
      equal(await isAway(here), true);
      const effects = (await world.effects()).length;
      await world.clock.advance(1_000);
      ok(
        (await world.effects()).length <= effects + aggregates.length,
        "nothing but what was in hand takes effect meanwhile",
      );
      ok((await world.count("pending")) > 0);

      await server.restart({ wiped });
      await allOnceAndInOrder(world);
      equal(await isAway(here), false);
    },
  );
}

test("NATS is killed again and again", needsNats, async (t) => {
  steps.clear();
  const server = await startServer(t);
  const { world, there } = await startWorld(t, server);
  there.subscribe("catalog", world.createInbox().receive);
  for (let kill = 1; kill <= 6; kill++) {
    for (let round = 0; round < 4; round++) await emitRound(world);
    const before = (await world.effects()).length;
    await until(world, async () => (await world.effects()).length > before);
    await server.restart({ wiped: kill % 2 === 0 });
  }
  await allOnceAndInOrder(world);
});

test("a NATS that freezes is given up, and used again when it thaws", needsNats, async (t) => {
  steps.clear();
  const server = await startServer(t);
  const { world, here, there } = await startWorld(t, server);
  there.subscribe("catalog", world.createInbox().receive);
  await emitRound(world);
  await allOnceAndInOrder(world);
  server.pause();
  await emitRound(world);
  await until(world, () => isAway(here));
  await emitRound(world);
  server.resume();
  await allOnceAndInOrder(world);
});

test(
  "somebody deletes the stream, or the consumer, of a NATS that runs on: both are made again",
  needsNats,
  async (t) => {
    steps.clear();
    const server = await startServer(t);
    const { world, there, system } = await startWorld(t, server);
    there.subscribe("catalog", world.createInbox().receive);
    const { streams, consumers } = await manage(t, server);
    for (const remove of [
      () => streams.delete(`ashlar-${system}`),
      () => consumers.delete(`ashlar-${system}`, "catalog"),
      () => streams.purge(`ashlar-${system}`),
    ]) {
      await emitRound(world);
      await remove();
      await emitRound(world);
      await allOnceAndInOrder(world);
    }
  },
);

test(
  "of two subscribers one is away: the other does not notice, and the one that comes back gets everything",
  needsNats,
  async (t) => {
    steps.clear();
    const server = await startServer(t);
    const { world, there } = await startWorld(t, server, { subscribers: ["catalog", "identity"] });
    const pendingOf = async (subscriber: string) =>
      (await world.database.query("select 1 from ashlar.pending where subscriber = $1", [subscriber])).rows.length;
    there.subscribe("catalog", world.createInbox().receive);
    for (let round = 0; round < 5; round++) await emitRound(world);
    await until(world, async () => (await pendingOf("catalog")) === 0);
    equal(await pendingOf("identity"), 25);

    const heard: string[] = [];
    there.subscribe("identity", async (events) => {
      for (const { aggregateId, version } of events)
        if (!heard.includes(`${aggregateId}/${version}`)) heard.push(`${aggregateId}/${version}`);
      return events.map(({ id }) => ({ id, state: "confirmed" }));
    });
    await allOnceAndInOrder(world);
    for (const aggregate of aggregates)
      deepEqual(
        heard.filter((one) => one.startsWith(aggregate)),
        [1, 2, 3, 4, 5].map((step) => `${aggregate}/${step}`),
      );
  },
);

test(
  "while NATS is away deliveries reject at once, nothing is kept for later, and who waits is told",
  needsNats,
  async (t) => {
    const server = await startServer(t);
    const { world, here, there, system } = await startWorld(t, server);
    const [event] = await world.emitAll(["ord_a", 1]);
    let received = 0;
    there.subscribe("catalog", () => {
      received += 1;
      return new Promise(() => {});
    });
    await until(world, async () => received > 0);
    const waiting = here.deliver("catalog", [event!]);
    await Promise.all([rejects(waiting, /NATS/), server.kill()]);
    const startMs = performance.now();
    for (let count = 0; count < 200; count++) await rejects(here.deliver("catalog", [event!]), { status: 503 });
    ok(performance.now() - startMs < short.outcomeTimeoutMs!);

    await server.restart({ wiped: true });
    await until(world, async () => !(await isAway(here)));
    const { state } = await (await manage(t, server)).streams.info(`ashlar-${system}`);
    ok(state.last_seq <= 4, `${state.last_seq} messages: the relay's own repeats at most`);
  },
);

test("a bus that starts before NATS waits for it", needsNats, async (t) => {
  steps.clear();
  const server = await startServer(t);
  await server.kill();
  const { world, here, there } = await startWorld(t, server);
  there.subscribe("catalog", world.createInbox().receive);
  await emitRound(world);
  await rejects(here.ping(), { status: 503 });
  await server.restart();
  await allOnceAndInOrder(world);
});
