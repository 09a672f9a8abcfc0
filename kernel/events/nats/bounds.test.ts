// How much a receiver takes, how long it may take, and how it leaves.

import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { encodeId, systemClock, systemRandom, uuidv7 } from "../../base/index.ts";
import type { Envelope } from "../../contract/index.ts";
import { needsNats } from "../../testing/index.ts";
import type { Outcome } from "../bus.ts";
import { createGate } from "../fixture.ts";
import { newSystem, openBus, startNatsForFile } from "./fixture.ts";

const server = await startNatsForFile();

function someEvents(count: number): Envelope[] {
  return Array.from({ length: count }, (_, index) => ({
    id: encodeId("evt", uuidv7(systemClock, systemRandom)),
    type: "order.created",
    aggregateId: `ord_${index}`,
    timestamp: "2026-01-01T10:00:00.000Z",
    data: {},
  }));
}

const confirm = (events: readonly Envelope[]): Outcome[] => events.map(({ id }) => ({ id, state: "confirmed" }));

test(
  "a process has no more in hand than it may, however much there is, and the stream is empty afterwards",
  needsNats,
  async (t) => {
    const system = newSystem();
    const bus = await openBus(t, server, { system, limits: { inHandMax: 8, publishesMax: 16 } });
    let inHand = 0;
    let most = 0;
    bus.subscribe("catalog", async (events) => {
      most = Math.max(most, ++inHand);
      await new Promise((resolve) => setImmediate(resolve));
      inHand -= 1;
      return confirm(events);
    });
    const events = someEvents(300);
    deepEqual(await bus.deliver("catalog", events), confirm(events));
    ok(most <= 8, `${most} at once`);
    const operator = await connect({ servers: server.url });
    t.after(() => operator.close());
    const { streams } = await jetstreamManager(operator);
    while ((await streams.info(`ashlar-${system}`)).state.messages > 0);
  },
);

test("what is worked on for longer than the stream waits is not given to anybody else", needsNats, async (t) => {
  const options = { system: newSystem(), limits: { ackWaitMs: 300 } };
  const [here, there] = [await openBus(t, server, options), await openBus(t, server, options)];
  let received = 0;
  for (const bus of [here, there])
    bus.subscribe("catalog", async (events) => {
      received += 1;
      // The time of NATS is real, and passes for nobody by hand.
      await systemClock.sleep(1_200);
      return confirm(events);
    });
  const events = someEvents(1);
  deepEqual(await here.deliver("catalog", events), confirm(events));
  equal(received, 1);
});

test("a bus that is closed answers what it has in hand first, and takes nothing new", needsNats, async (t) => {
  const system = newSystem();
  const [here, there] = [await openBus(t, server, { system }), await openBus(t, server, { system })];
  const [reached, mayGoOn] = [createGate(), createGate()];
  const received: string[] = [];
  there.subscribe("catalog", async (events) => {
    received.push(...events.map(({ id }) => id));
    reached.open();
    await mayGoOn.opened;
    return confirm(events);
  });
  const [first, second] = someEvents(2).map((event) => [event]);
  const answered = here.deliver("catalog", first!);
  await reached.opened;
  const closed = there.close();
  const missed = here.deliver("catalog", second!);
  mayGoOn.open();
  deepEqual(await answered, confirm(first!));
  await closed;
  deepEqual(received, [first![0]!.id]);

  // What came while it left is waiting for the next.
  here.subscribe("catalog", async (events) => confirm(events));
  deepEqual(await missed, confirm(second!));
});
