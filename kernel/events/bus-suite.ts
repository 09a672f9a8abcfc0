// What every bus has to do. Not behind the door of this folder, because it needs a test runner:
// `import { busSuite } from "ashlar/testing"`, or this file.

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import type { Envelope } from "../contract/index.ts";
import type { Bus, Outcome, Receive } from "./bus.ts";
import { eventDataBytesMax } from "./limits.ts";

export interface BusSuiteOptions {
  /** What `describe` takes: `skip`, where what the bus needs is not installed. */
  describe?: { readonly skip?: string };
  /** Two ends of one bus with nothing in it, as two processes have them. Left out where it does not leave a process. */
  createEnds?: (t: TestContext) => Promise<readonly [Bus, Bus]>;
}

/** Declares the tests of a bus. `createBus` makes a new one with nothing in it; `t.after` closes it. */
export function busSuite(
  name: string,
  createBus: (t: TestContext) => Promise<Bus>,
  options: BusSuiteOptions = {},
): void {
  describe(`the ${name} bus`, options.describe ?? {}, () => {
    test("hands events over whole and in order, and brings every outcome back", async (t) => {
      const bus = await createBus(t);
      const received: Envelope[] = [];
      const outcomes: Outcome[] = [
        { id: events[0]!.id, state: "confirmed" },
        { id: events[1]!.id, state: "retry", afterMs: 250, reason: "not now" },
      ];
      subscribe(t, bus, "catalog", async (batch) => {
        received.push(...batch);
        return outcomes;
      });
      deepEqual(await bus.deliver("catalog", events), outcomes);
      deepEqual(received, events);
    });

    test("brings events to the named subscriber and to no other", async (t) => {
      const bus = await createBus(t);
      const heard: string[] = [];
      for (const subscriber of ["catalog", "identity"]) {
        subscribe(t, bus, subscriber, async (batch) => {
          heard.push(subscriber);
          return confirm(batch);
        });
      }
      await bus.deliver("identity", events);
      // In one batch or in several.
      deepEqual([...new Set(heard)], ["identity"]);
    });

    test("shares no object between the two sides", async (t) => {
      const bus = await createBus(t);
      const sent = structuredClone(events);
      const kept: Outcome[] = [];
      subscribe(t, bus, "catalog", async (batch) => {
        (batch[0]!.data as { total: number }).total = 0;
        kept.push(...confirm(batch));
        return kept;
      });
      const outcomes = await bus.deliver("catalog", sent);
      deepEqual(sent, events);
      outcomes[0]!.id = "changed";
      equal(kept[0]!.id, events[0]!.id);
    });

    test("rejects when nobody receives, and after the receiver left", async (t) => {
      const bus = await createBus(t);
      await rejects(bus.deliver("catalog", events));
      const leave = bus.subscribe("catalog", async (batch) => confirm(batch));
      equal((await bus.deliver("catalog", events)).length, 2);
      leave();
      await rejects(bus.deliver("catalog", events));
    });

    test("rejects when the receiver fails as a whole, and works again afterwards", async (t) => {
      const bus = await createBus(t);
      let failing = true;
      subscribe(t, bus, "catalog", async (batch) => {
        if (failing) throw new Error("no database");
        return confirm(batch);
      });
      await rejects(bus.deliver("catalog", events));
      failing = false;
      equal((await bus.deliver("catalog", events)).length, 2);
    });

    test("carries several deliveries at once without mixing their outcomes", async (t) => {
      const bus = await createBus(t);
      subscribe(t, bus, "catalog", async (batch) => confirm(batch));
      const all = await Promise.all(Array.from({ length: 20 }, (_, index) => bus.deliver("catalog", [anEvent(index)])));
      deepEqual(
        all.map((outcomes) => outcomes.map((outcome) => outcome.id)),
        Array.from({ length: 20 }, (_, index) => [anEvent(index).id]),
      );
    });

    test("refuses a second receiver under one name, in one process", async (t) => {
      const bus = await createBus(t);
      subscribe(t, bus, "catalog", async (batch) => confirm(batch));
      let refused = false;
      try {
        bus.subscribe("catalog", async (batch) => confirm(batch));
      } catch {
        refused = true;
      }
      ok(refused);
    });

    test("carries what its receiver missed when it is handed over again", async (t) => {
      const bus = await createBus(t);
      await rejects(bus.deliver("catalog", events));
      const memory = createMemory();
      subscribe(t, bus, "catalog", memory.receive);
      deepEqual(await bus.deliver("catalog", events), confirm(events));
      deepEqual(
        memory.effects,
        events.map(({ id }) => id),
      );
    });

    test("hands an event over as often as it is asked to, after a refusal and after a confirmation", async (t) => {
      const bus = await createBus(t);
      const answers: Outcome["state"][] = ["retry", "retry", "confirmed", "confirmed"];
      const left = [...answers];
      subscribe(t, bus, "catalog", async ([event]) => [answerOf(event!.id, left.shift()!)]);
      for (const state of answers)
        deepEqual(await bus.deliver("catalog", [events[0]!]), [answerOf(events[0]!.id, state)]);
      equal(left.length, 0);
    });

    test("keeps the order of an aggregate while its events are refused, and repeated", async (t) => {
      const bus = await createBus(t);
      const memory = createMemory();
      // Each event is refused when it comes for the first time, and each is sent until it is confirmed, and once more.
      const refused = new Set<string>();
      subscribe(t, bus, "catalog", (batch) =>
        memory.receive(batch, ({ id }) => !refused.has(id) && refused.add(id) !== undefined),
      );
      const aggregates = ["ord_a", "ord_b", "ord_c"];
      const all = aggregates.map((aggregateId, place) =>
        Array.from({ length: 8 }, (_, step) => ({ ...anEvent(place * 8 + step), aggregateId, version: step + 1 })),
      );
      await Promise.all(all.map((inOrder) => sendUntilConfirmed(bus, inOrder)));
      for (const inOrder of all) {
        const ids = inOrder.map(({ id }) => id);
        deepEqual(
          memory.effects.filter((id) => ids.includes(id)),
          ids,
        );
      }
    });

    test("carries an event as large as one may be", async (t) => {
      const bus = await createBus(t);
      const note = "ü".repeat(Math.floor((eventDataBytesMax - 20) / 2));
      const large = { ...anEvent(0), data: { note } };
      let received: Envelope | undefined;
      subscribe(t, bus, "catalog", async (batch) => {
        [received] = batch;
        return confirm(batch);
      });
      deepEqual(await bus.deliver("catalog", [large]), confirm([large]));
      ok(received !== undefined && (received.data as { note: string }).note === note);
    });

    const { createEnds } = options;
    if (createEnds === undefined) return;

    test("brings events to another process, and its outcomes back, in both directions at once", async (t) => {
      const [here, there] = await createEnds(t);
      const [memory, other] = [createMemory(), createMemory()];
      subscribe(t, there, "catalog", memory.receive);
      subscribe(t, here, "orders", other.receive);
      const [outcomes, back] = await Promise.all([here.deliver("catalog", events), there.deliver("orders", events)]);
      deepEqual([outcomes, back], [confirm(events), confirm(events)]);
      deepEqual(memory.effects.toSorted(), events.map(({ id }) => id).toSorted());
      deepEqual(other.effects.toSorted(), events.map(({ id }) => id).toSorted());
    });

    test("lets two processes receive under one name, each event in one of them", async (t) => {
      const [here, there] = await createEnds(t);
      const [one, two] = [createMemory(), createMemory()];
      subscribe(t, here, "catalog", one.receive);
      subscribe(t, there, "catalog", two.receive);
      const many = Array.from({ length: 80 }, (_, index) => anEvent(index));
      for (let round = 0; round < 5; round++) {
        const batch = many.slice(round * 16, round * 16 + 16);
        deepEqual(await here.deliver("catalog", batch), confirm(batch));
      }
      deepEqual([...one.effects, ...two.effects].toSorted(), many.map(({ id }) => id).toSorted());
    });

    test("goes on with the process that stays when the other one leaves", async (t) => {
      const [here, there] = await createEnds(t);
      const [one, two] = [createMemory(), createMemory()];
      const leave = here.subscribe("catalog", one.receive);
      subscribe(t, there, "catalog", two.receive);
      leave();
      deepEqual(await here.deliver("catalog", events), confirm(events));
      deepEqual([one.effects.length, two.effects.length], [0, 2]);
    });
  });
}

/** A subscriber that has each event's effect once, like an inbox, and refuses what it is told to. */
function createMemory() {
  const effects: string[] = [];
  const receive = async (batch: Envelope[], isRefused: (event: Envelope) => boolean = () => false) => {
    const refused = new Set<string>();
    return batch.map((event): Outcome => {
      const isBehind = refused.has(event.aggregateId);
      if (!effects.includes(event.id) && (isBehind || isRefused(event))) {
        refused.add(event.aggregateId);
        return answerOf(event.id, "retry");
      }
      if (!effects.includes(event.id)) effects.push(event.id);
      return answerOf(event.id, "confirmed");
    });
  };
  return { effects, receive };
}

/** As an impatient relay would: all that is left in one batch, again and again, and at last everything once more. */
async function sendUntilConfirmed(bus: Bus, events: Envelope[]): Promise<void> {
  let left = events;
  while (left.length > 0) {
    const outcomes = await bus.deliver("catalog", left);
    const confirmed = new Set(outcomes.filter(({ state }) => state === "confirmed").map(({ id }) => id));
    left = left.filter(({ id }) => !confirmed.has(id));
  }
  deepEqual(await bus.deliver("catalog", events), confirm(events));
}

function answerOf(id: string, state: Outcome["state"]): Outcome {
  return state === "confirmed" ? { id, state } : { id, state, afterMs: 0, reason: "not now" };
}

function subscribe(t: TestContext, bus: Bus, subscriber: string, receive: Receive): void {
  t.after(bus.subscribe(subscriber, receive));
}

function confirm(batch: Envelope[]): Outcome[] {
  return batch.map(({ id }) => ({ id, state: "confirmed" }));
}

function anEvent(index: number): Envelope {
  return {
    id: `evt_01h455vb4pex5vsknk084sn0${String(index + 10)}`,
    type: "order.created",
    aggregateId: `ord_01h455vb4pex5vsknk084sn0${String(index + 10)}`,
    timestamp: "2026-01-01T10:00:00.000Z",
    version: 1,
    data: { total: 99.99, note: 'Grüße, 世界 "\\', items: [{ quantity: 2 }], nothing: null },
  };
}

const events = [anEvent(0), anEvent(1)];
