import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { errors, Failure, type Envelope } from "../contract/index.ts";
import { createTestDatabase } from "../testing/postgres.ts";
import { listDead } from "./admin.ts";
import { createGate, createWorld, openDatabase, stepped, tables } from "./fixture.ts";

const database = openDatabase(await createTestDatabase(tables));

test("an event that arrives again, later or at the same moment, has its effect once", async () => {
  const world = await createWorld(database);
  const { receive } = world.createInbox();
  const events = await world.emitAll(["ord_a", 1]);
  const outcomes = await Promise.all([receive(events), receive(events), receive(events)]);
  outcomes.push(await receive(events));
  for (const outcome of outcomes) deepEqual(outcome, [{ id: events[0]!.id, state: "confirmed" }]);
  deepEqual(await world.effects(), ["ord_a/1"]);
});

test("S04 a refused event leaves nothing behind but its tries, and is asked for again with a growing, bounded delay", async () => {
  const world = await createWorld(database);
  const { receive } = world.createInbox({
    limits: { backoffMinMs: 100, backoffMaxMs: 400 },
    random: { bytes: (length) => new Uint8Array(length) },
  });
  world.listener.refuse("ord_a", 1);
  const events = await world.emitAll(["ord_a", 1]);
  const delays: number[] = [];
  for (let time = 0; time < 5; time++) {
    const [outcome] = await receive(events);
    if (outcome?.state === "retry") delays.push(outcome.afterMs);
  }
  deepEqual(delays, [100, 200, 400, 400, 400]);
  deepEqual(await world.effects(), []);
  equal(await world.count("inbox"), 0);
  equal(await world.count("inbox_tries"), 1);
});

test("S04 poison becomes a dead letter with its reason after a bounded number of tries, also across restarts; others go on", async () => {
  const world = await createWorld(database);
  const relay = world.createRelay();
  world.listener.refuse("ord_a", 1, () => new Error("cannot divide by zero"));
  await world.emitAll(["ord_a", 1], ["ord_a", 2], ["ord_b", 1]);
  for (let time = 0; time < 3; time++) {
    // A new inbox each time: the count of tries is in the database.
    const leave = world.bus.subscribe("catalog", world.createInbox({ limits: { triesMax: 3 } }).receive);
    await relay.runOnce();
    leave();
    await world.clock.advance(60_000);
  }
  deepEqual(await world.effects(), ["ord_b/1"]);
  equal(await world.count("inbox_tries"), 0);

  world.bus.subscribe("catalog", world.createInbox().receive);
  await world.emitAll(["ord_a", 3], ["ord_b", 2]);
  await relay.runOnce();
  deepEqual(await world.effects(), ["ord_b/1", "ord_b/2"]);
  equal(await world.count("pending"), 0);
  const letters = await listDead(world.database, { limit: 10 });
  deepEqual(
    letters.map(({ aggregateId, envelope, reason, tries }) => [aggregateId, envelope.version, reason, tries]),
    [
      ["ord_a", 1, "cannot divide by zero", 3],
      ["ord_a", 2, `behind ${letters[0]!.id}`, 0],
      ["ord_a", 3, `behind ${letters[0]!.id}`, 0],
    ],
  );
});

test("what fails because something else is down is tried without limit and never becomes a dead letter", async () => {
  const world = await createWorld(database);
  const { receive } = world.createInbox({ limits: { triesMax: 2 } });
  const failures = [
    new Failure(errors.unavailable, "catalog is down", { headers: { "retry-after": "4" } }),
    new Failure(errors.deadlineExceeded, "too late"),
  ];
  world.listener.refuse("ord_a", 1, () => failures[0]);
  const events = await world.emitAll(["ord_a", 1]);
  for (let time = 0; time < 10; time++) {
    const [outcome] = await receive(events);
    equal(outcome?.state, "retry");
    failures.reverse();
  }
  equal(await world.count("inbox_tries"), 0);
  world.listener.accept("ord_a", 1);
  equal((await receive(events))[0]!.state, "confirmed");
  deepEqual(await world.effects(), ["ord_a/1"]);
});

test("a handler that hangs is ended by its time limit, and that counts as a try", async () => {
  const world = await createWorld(database);
  const hanging = createGate();
  let signal: AbortSignal | undefined;
  const handler = async (_event: Envelope, _tx: unknown, given: AbortSignal) => {
    signal = given;
    hanging.open();
    await new Promise(() => {});
  };
  const { receive } = world.createInbox({
    handlers: new Map([[stepped.type, handler]]),
    limits: { handlerTimeoutMs: 5_000 },
  });
  const events = await world.emitAll(["ord_a", 1]);
  const receiving = receive(events);
  await hanging.opened;
  await world.clock.advance(5_000);
  const [outcome] = await receiving;
  match(
    outcome?.state === "retry" ? outcome.reason : "",
    /handler of order\.stepped in catalog took longer than 5000 ms/,
  );
  equal(signal?.aborted, true);
  equal(await world.count("inbox_tries"), 1);
});

test("within one delivery, events behind a refused one of their aggregate are not tried", async () => {
  const world = await createWorld(database);
  const { receive } = world.createInbox();
  world.listener.refuse("ord_a", 2);
  const outcomes = await receive(await world.emitAll(["ord_a", 1], ["ord_a", 2], ["ord_a", 3], ["ord_b", 1]));
  deepEqual(
    outcomes.map((outcome) => outcome.state),
    ["confirmed", "retry", "retry", "confirmed"],
  );
  deepEqual((await world.effects()).toSorted(), ["ord_a/1", "ord_b/1"]);
});

test("an event without a handler is not lost: it says what to do, and becomes a dead letter", async () => {
  const world = await createWorld(database);
  const { receive } = world.createInbox({ handlers: new Map(), limits: { triesMax: 1 } });
  equal((await receive(await world.emitAll(["ord_a", 1])))[0]!.state, "confirmed");
  match(
    (await listDead(world.database, { limit: 1 }))[0]!.reason,
    /no handler for order\.stepped\. Add it to its subscribers/,
  );
});

test("handles at most so many events at once", async () => {
  const world = await createWorld(database);
  let running = 0;
  let most = 0;
  const three = createGate();
  const handler = async () => {
    running += 1;
    most = Math.max(most, running);
    if (running === 3) three.open();
    await three.opened;
    await world.database.query("select 1");
    running -= 1;
  };
  const { receive } = world.createInbox({
    handlers: new Map([[stepped.type, handler]]),
    limits: { concurrencyMax: 3 },
  });
  await receive(
    await world.emitAll(...Array.from({ length: 12 }, (_, index): [string, number] => [`ord_${index}`, 1])),
  );
  equal(most, 3);
});

test("forgets old events, a bounded number at a time, and none that came lately", async () => {
  const world = await createWorld(database);
  const inbox = world.createInbox({ limits: { purgeSize: 2, retentionMs: 60_000 } });
  await inbox.receive(await world.emitAll(["ord_a", 1], ["ord_b", 1], ["ord_c", 1], ["ord_d", 1]));
  await world.clock.advance(120_000);
  // The clock of the test stands long before that of the database, so these came "lately".
  await inbox.runOnce();
  equal(await world.count("inbox"), 4);
  await world.database.query("update ashlar.inbox set received_at = '2020-01-01'");
  await world.clock.advance(120_000);
  await inbox.runOnce();
  equal(await world.count("inbox"), 2);
  await inbox.runOnce();
  equal(await world.count("inbox"), 0);
});

test("stop waits for what is being handled", async () => {
  const world = await createWorld(database);
  const [handling, mayGoOn] = [createGate(), createGate()];
  const handler = async () => {
    handling.open();
    await mayGoOn.opened;
  };
  const inbox = world.createInbox({ handlers: new Map([[stepped.type, handler]]) });
  const receiving = inbox.receive(await world.emitAll(["ord_a", 1]));
  await handling.opened;
  let stopped = false;
  const stopping = inbox.stop().then(() => (stopped = true));
  await world.clock.advance(0);
  equal(stopped, false);
  mayGoOn.open();
  await stopping;
  equal((await receiving)[0]!.state, "confirmed");
});

test("an inbox that stops lets handlers end for a while; one that does not is taken back, counts as no try, and comes again", async () => {
  const world = await createWorld(database);
  const [reached, never] = [createGate(), createGate()];
  const hangs = world.createInbox({
    handlers: new Map([
      [
        stepped.type,
        async (event, tx, signal) => {
          await world.listener.handler(event, tx, signal);
          reached.open();
          await never.opened;
        },
      ],
    ]),
  });
  hangs.start();
  const events = await world.emitAll(["ord_a", 1]);
  const received = hangs.receive(events);
  await reached.opened;
  let stopped = false;
  const stopping = hangs.stop(2_000).then(() => (stopped = true));
  await world.clock.advance(1_999);
  equal(stopped, false);
  await world.clock.advance(1);
  const [outcome] = await received;
  await stopping;
  equal(outcome?.state, "retry");
  deepEqual(await world.effects(), []);
  equal(await world.count("inbox_tries"), 0);

  deepEqual(await world.createInbox().receive(events), [{ id: events[0]!.id, state: "confirmed" }]);
  deepEqual(await world.effects(), ["ord_a/1"]);
});
