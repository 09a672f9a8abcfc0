// Events on their way: one service that emits, one that hears of it, a database each.

import { silentLogger, systemClock, systemRandom } from "ashlar/base";
import { event, integer, object } from "ashlar/contract";
import { createDatabase } from "ashlar/data";
import { type Bus, createInbox, createOutbox, createRelay } from "ashlar/events";

const aggregates = 500;
const base = { clock: systemClock, random: systemRandom, log: silentLogger };

const stepped = event("order.stepped", { aggregate: "ord", summary: "A step", data: object({ step: integer() }) });

export interface Flow {
  /** Resolves when the event is committed. */
  emit(step: number): Promise<void>;
  /** Begins to hand on what was committed. */
  start(): void;
  /** Called after the commit of each effect, with its event's step. */
  onEffect: (step: number) => void;
  close(): Promise<void>;
}

/** The databases hold the tables of events and nothing else; on NATS each side has a bus of its own, as two processes have. */
export async function openFlow(
  urls: { orders: string; catalog: string },
  emitting: Bus,
  receiving: Bus,
): Promise<Flow> {
  const orders = createDatabase({ ...base, url: urls.orders });
  const catalog = createDatabase({ ...base, url: urls.catalog });
  await catalog.query("create table effects (aggregate_id text, step integer)");
  const inbox = createInbox({
    ...base,
    service: "catalog",
    database: catalog,
    handlers: new Map([
      [
        stepped.type,
        async ({ aggregateId, data }, tx) => {
          const { step } = data as { step: number };
          await tx.query("insert into effects values ($1, $2)", [aggregateId, step]);
          tx.afterCommit(() => flow.onEffect(step));
        },
      ],
    ]),
  });
  const leave = receiving.subscribe("catalog", inbox.receive);
  const relay = createRelay({ ...base, service: "orders", database: orders, bus: emitting, subscribers: ["catalog"] });
  const outbox = createOutbox({ ...base, subscribersOf: () => ["catalog"], wake: () => relay.wake() });
  const flow: Flow = {
    onEffect: () => {},
    async emit(step) {
      const content = { aggregateId: `ord_${step % aggregates}`, version: step, data: { step } };
      await orders.transaction((tx) => outbox.emit(tx, stepped, content));
    },
    start: () => relay.start(),
    async close() {
      leave();
      await Promise.all([relay.stop(), inbox.stop()]);
      await Promise.all([orders.close(), catalog.close()]);
    },
  };
  return flow;
}
