import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { createTestDatabase } from "../testing/postgres.ts";
import { listEvents } from "./admin.ts";
import { createWorld, openDatabase, tables } from "./fixture.ts";

const database = openDatabase(await createTestDatabase(tables));

test("events are listed in order, the newest without a position and onwards from one, each with who has not confirmed", async () => {
  const world = await createWorld(database, { subscribers: ["catalog", "identity"] });
  const emitted = await world.emitAll(["ord_a", 1], ["ord_b", 1], ["ord_a", 2]);
  world.bus.subscribe("catalog", world.createInbox().receive);
  await world.createRelay().runOnce();

  const newest = await listEvents(world.database, { limit: 2 });
  deepEqual(
    newest.map(({ envelope }) => envelope),
    emitted.slice(1),
  );
  deepEqual(newest[0]!.pending, ["identity"]);
  equal(newest[0]!.state, "pending");

  const first = await listEvents(world.database, { limit: 1, afterSeq: 0 });
  const rest = await listEvents(world.database, { limit: 100, afterSeq: first[0]!.seq });
  deepEqual(
    [...first, ...rest].map(({ envelope }) => envelope.id),
    emitted.map(({ id }) => id),
  );
});

test("events are listed by aggregate and by type", async () => {
  const world = await createWorld(database);
  await world.emitAll(["ord_a", 1], ["ord_b", 1], ["ord_a", 2]);
  const ofA = await listEvents(world.database, { limit: 10, aggregateId: "ord_a" });
  deepEqual(
    ofA.map(({ envelope }) => envelope.version),
    [1, 2],
  );
  deepEqual(await listEvents(world.database, { limit: 10, type: "order.cancelled" }), []);
});
