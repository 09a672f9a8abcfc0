// Events that share a transaction: nothing changes for any of them but the cost.

import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Envelope } from "../contract/index.ts";
import type { Tx } from "../data/index.ts";
import { createTestDatabase } from "../testing/postgres.ts";
import { replayDead } from "./admin.ts";
import { createWorld, openDatabase, stepped, tables } from "./fixture.ts";
import type { EventsHandler, InboxOptions } from "./inbox.ts";

const database = openDatabase(await createTestDatabase(tables));

/** A subscriber that takes its events together, and what it was given at a time. */
async function createTogetherWorld() {
  const world = await createWorld(database);
  const groups: string[][] = [];
  const nameOf = ({ aggregateId, data }: Envelope) => `${aggregateId}/${(data as { step: number }).step}`;
  const handle: EventsHandler = async (events, tx, signal) => {
    groups.push(events.map(nameOf));
    for (const event of events) await world.listener.handler(event, tx, signal);
  };
  return {
    ...world,
    groups,
    createInbox: (more: Partial<InboxOptions> = {}) =>
      world.createInbox({
        handlers: new Map([
          [stepped.type, (event: Envelope, tx: Tx, signal: AbortSignal) => handle([event], tx, signal)],
        ]),
        together: new Map([[stepped.type, handle]]),
        ...more,
      }),
  };
}

const statesOf = (outcomes: readonly { state: string }[]) => outcomes.map(({ state }) => state);

test("events of different aggregates that are handed over at once are one transaction, later ones of an aggregate follow", async () => {
  const world = await createTogetherWorld();
  const { receive } = world.createInbox();
  const events = await world.emitAll(["ord_a", 1], ["ord_b", 1], ["ord_a", 2], ["ord_c", 1]);
  deepEqual(statesOf(await receive(events)), ["confirmed", "confirmed", "confirmed", "confirmed"]);
  deepEqual(world.groups, [["ord_a/1", "ord_b/1", "ord_c/1"], ["ord_a/2"]]);
  deepEqual(await world.effects(), ["ord_a/1", "ord_b/1", "ord_c/1", "ord_a/2"]);
  const { rows } = await database.query("select distinct xmin::text from ashlar.inbox");
  equal(rows.length, 2);
});

test("however often and in whatever company they come, they have their effect once", async () => {
  const world = await createTogetherWorld();
  const events = await world.emitAll(["ord_a", 1], ["ord_b", 1], ["ord_c", 1], ["ord_d", 1]);
  const inboxes = [world.createInbox(), world.createInbox()];
  const deliveries = [events, events.toReversed(), events.slice(1), events.slice(0, 2)];
  const outcomes = await Promise.all(deliveries.map((some, at) => inboxes[at % 2]!.receive(some)));
  for (const answered of outcomes) deepEqual(new Set(statesOf(answered)), new Set(["confirmed"]));
  deepEqual((await world.effects()).toSorted(), ["ord_a/1", "ord_b/1", "ord_c/1", "ord_d/1"]);
});

test("S04 one that is refused is refused alone: its company is dealt with, once, and only its tries are counted", async () => {
  const world = await createTogetherWorld();
  const { receive } = world.createInbox({ limits: { triesMax: 2 } });
  world.listener.refuse("ord_b", 1);
  const events = await world.emitAll(["ord_a", 1], ["ord_b", 1], ["ord_c", 1]);
  deepEqual(statesOf(await receive(events)), ["confirmed", "retry", "confirmed"]);
  deepEqual((await world.effects()).toSorted(), ["ord_a/1", "ord_c/1"]);
  deepEqual([await world.count("inbox"), await world.count("inbox_tries")], [2, 1]);
  deepEqual(statesOf(await receive(events)), ["confirmed", "confirmed", "confirmed"], "given up, as alone");
  equal(await world.count("dead_letters"), 1);
  deepEqual((await world.effects()).toSorted(), ["ord_a/1", "ord_c/1"]);
});

test("one whose aggregate has dead letters joins them and holds back nobody; all are replayed in order", async () => {
  const world = await createTogetherWorld();
  const inbox = world.createInbox({ limits: { triesMax: 1 } });
  world.listener.refuse("ord_a", 1);
  await inbox.receive(await world.emitAll(["ord_a", 1]));
  const later = await world.emitAll(["ord_a", 2], ["ord_b", 1], ["ord_c", 1]);
  deepEqual(statesOf(await inbox.receive(later)), ["confirmed", "confirmed", "confirmed"]);
  deepEqual(await world.effects(), ["ord_b/1", "ord_c/1"]);
  equal(await world.count("dead_letters"), 2);
  world.listener.accept("ord_a", 1);
  await replayDead(world.database, "all");
  await inbox.runOnce();
  deepEqual(await world.effects(), ["ord_b/1", "ord_c/1", "ord_a/1", "ord_a/2"]);
});

test("events whose handler does not end are given up together at its time limit, and then taken one by one", async () => {
  const world = await createTogetherWorld();
  let isStuck = true;
  const started = Promise.withResolvers<void>();
  const { receive } = world.createInbox({
    limits: { handlerTimeoutMs: 1_000 },
    together: new Map([
      [
        stepped.type,
        async () => {
          started.resolve();
          if (isStuck) await new Promise(() => {});
        },
      ],
    ]),
  });
  const events = await world.emitAll(["ord_a", 1], ["ord_b", 1]);
  const outcomes = receive(events);
  await started.promise;
  isStuck = false;
  await world.clock.advance(1_000);
  deepEqual(statesOf(await outcomes), ["confirmed", "confirmed"]);
  deepEqual((await world.effects()).toSorted(), ["ord_a/1", "ord_b/1"]);
});
