// What every bus has to do. Not behind the door of this folder, because it needs a test runner:
// `import { busSuite } from "ashlar/testing"`, or this file.

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import type { Envelope } from "../contract/index.ts";
import type { Bus, Outcome } from "./bus.ts";

/** Declares the tests of a bus. `createBus` makes a new one with nothing in it; `t.after` closes it. */
export function busSuite(name: string, createBus: (t: TestContext) => Promise<Bus>): void {
  describe(`the ${name} bus`, () => {
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
      deepEqual(heard, ["identity"]);
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
  });
}

function subscribe(
  t: TestContext,
  bus: Bus,
  subscriber: string,
  receive: (events: Envelope[]) => Promise<Outcome[]>,
): void {
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
