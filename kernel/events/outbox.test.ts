import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { test } from "node:test";
import { timestamp } from "../base/index.ts";
import { event, money, object, text } from "../contract/index.ts";
import { createTestDatabase } from "../testing/postgres.ts";
import { listEvents } from "./admin.ts";
import { createWorld, openDatabase, stepped, tables } from "./fixture.ts";
import { eventDataBytesMax } from "./limits.ts";

const database = openDatabase(await createTestDatabase(tables));

test("an event is there with the commit, as it was given back", async () => {
  const world = await createWorld(database);
  const woken: string[] = [];
  world.wake = (subscribers) => woken.push(...subscribers);
  const envelope = await world.database.transaction(async (tx) => {
    const emitted = await world.outbox.emit(tx, stepped, {
      aggregateId: "ord_a",
      version: 3,
      traceparent: "00-ab-cd-01",
      data: { step: 1 },
    });
    deepEqual(woken, [], "nothing to deliver before the commit");
    return emitted;
  });
  match(envelope.id, /^evt_[0-9a-hjkmnp-tv-z]{26}$/);
  deepEqual(envelope, {
    id: envelope.id,
    type: "order.stepped",
    aggregateId: "ord_a",
    timestamp: timestamp(world.clock.nowMs()),
    version: 3,
    traceparent: "00-ab-cd-01",
    data: { step: 1 },
  });
  const [listed] = await listEvents(world.database, { limit: 10 });
  deepEqual(listed!.envelope, envelope);
  deepEqual(listed!.pending, ["catalog"]);
  deepEqual(woken, ["catalog"]);
});

test("a rollback announces nothing and wakes nobody", async () => {
  const world = await createWorld(database);
  let woken = false;
  world.wake = () => (woken = true);
  const work = world.database.transaction(async (tx) => {
    await world.emit(tx, "ord_a", 1);
    throw new Error("changed my mind");
  });
  await rejects(work, /changed my mind/);
  equal(await world.count("outbox"), 0);
  equal(await world.count("pending"), 0);
  equal(woken, false);
});

test("an event nobody subscribes to is delivered at once, and kept to be looked at", async () => {
  const world = await createWorld(database, { subscribers: [] });
  await world.emitAll(["ord_a", 1]);
  equal((await listEvents(world.database, { limit: 10 }))[0]!.state, "delivered");
  equal(await world.count("pending"), 0);
});

test("data that breaks the contract is refused with every reason, and so is a foreign aggregate", async () => {
  const world = await createWorld(database);
  const broken = { step: "one", extra: true } as unknown as { step: number };
  await rejects(
    world.database.transaction((tx) => world.outbox.emit(tx, stepped, { aggregateId: "ord_a", data: broken })),
    /order\.stepped breaks its contract: .*extra is not a known property/,
  );
  await rejects(
    world.database.transaction((tx) => world.outbox.emit(tx, stepped, { aggregateId: "usr_a", data: { step: 1 } })),
    /is about ord_/,
  );
  equal(await world.count("outbox"), 0);
});

test("money, text and null survive the way through the database", async () => {
  const world = await createWorld(database);
  const paid = event("order.paid", { aggregate: "ord", summary: "Paid", data: object({ total: money() }) });
  await world.database.transaction((tx) =>
    world.outbox.emit(tx, paid, { aggregateId: "ord_a", data: { total: 9_999_999_999_999.99 } }),
  );
  deepEqual((await listEvents(world.database, { limit: 1 }))[0]!.envelope.data, { total: 9_999_999_999_999.99 });
});

test("what is too large for a message of a bus is refused where it is announced, and what would announce it too", async () => {
  const world = await createWorld(database);
  const noted = event("order.noted", {
    aggregate: "ord",
    summary: "Somebody wrote something",
    data: object({ note: text({ max: 2 * eventDataBytesMax }) }),
  });
  const note = (length: number) =>
    world.database.transaction((tx) =>
      world.outbox.emit(tx, noted, { aggregateId: "ord_a", data: { note: "n".repeat(length) } }),
    );
  const around = JSON.stringify({ note: "" }).length;
  await note(eventDataBytesMax - around);
  await rejects(note(eventDataBytesMax - around + 1), { status: 413, code: "PAYLOAD_TOO_LARGE" });
  equal(await world.count("outbox"), 1);
});
