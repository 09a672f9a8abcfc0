// What the tests of this folder share: a service that emits, one that listens, and a real database under both.

import { after } from "node:test";
import { createManualClock, silentLogger, systemClock, systemRandom } from "../base/index.ts";
import { event, integer, object, type Envelope } from "../contract/index.ts";
import { createDatabase, type Database, type Tx } from "../data/index.ts";
import { createPostgresBus, type Bus } from "./bus.ts";
import { createInbox, type EventHandler, type InboxOptions } from "./inbox.ts";
import { eventMigrations } from "./index.ts";
import { createOutbox } from "./outbox.ts";
import { createRelay, type RelayOptions } from "./relay.ts";

export const stepped = event("order.stepped", {
  aggregate: "ord",
  summary: "An order went a step on",
  data: object({ step: integer() }),
});

/** Refuses the events it is told to, and otherwise writes down what it heard, in the transaction it is given. */
export function createListener() {
  const refusals = new Map<string, () => unknown>();
  const handler: EventHandler = async (heard, tx) => {
    const { step } = heard.data as { step: number };
    await tx.query("insert into effects (aggregate_id, step) values ($1, $2)", [heard.aggregateId, step]);
    const error = refusals.get(`${heard.aggregateId}/${step}`)?.();
    if (error !== undefined) throw error;
  };
  return {
    handler,
    refuse: (aggregateId: string, step: number, error: () => unknown = () => new Error("cannot be handled")) =>
      refusals.set(`${aggregateId}/${step}`, error),
    accept: (aggregateId: string, step: number) => refusals.delete(`${aggregateId}/${step}`),
  };
}

const createEffects =
  "create table effects (position bigint generated always as identity, aggregate_id text, step integer)";

/** For `createTestDatabase`. */
export const tables = {
  migrations: [eventMigrations],
  template: { key: "effects", fill: async (empty: Database) => void (await empty.query(createEffects)) },
};

/** The database of a test file, for all of its tests: `createWorld` empties it, which is faster than making another. */
export function openDatabase({ url }: { url: string }): Database {
  const database = createDatabase({ url, log: silentLogger, clock: systemClock, max: 20 });
  after(() => database.close());
  return database;
}

export type World = Awaited<ReturnType<typeof createWorld>>;

/** One service emits, `catalog` listens; both in one database, since the tables do not mind. Nothing is started. */
export async function createWorld(database: Database, options: { bus?: Bus; subscribers?: string[] } = {}) {
  await database.query(
    `truncate ashlar.outbox, ashlar.pending, ashlar.leases, ashlar.inbox, ashlar.inbox_tries, ashlar.dead_letters, effects`,
  );
  const clock = createManualClock();
  const bus = options.bus ?? createPostgresBus();
  const subscribers = options.subscribers ?? ["catalog"];
  const listener = createListener();
  const base = { database, clock, random: systemRandom, log: silentLogger };

  const world = {
    database,
    clock,
    bus,
    listener,
    wake: (_subscribers: readonly string[]): void => {},
    createRelay: (more: Partial<RelayOptions> = {}) =>
      createRelay({ ...base, service: "orders", bus, subscribers, ...more }),
    createInbox: (more: Partial<InboxOptions> = {}) =>
      createInbox({ ...base, service: "catalog", handlers: new Map([[stepped.type, listener.handler]]), ...more }),
    outbox: createOutbox({ ...base, subscribersOf: () => subscribers, wake: (woken) => world.wake(woken) }),
    emit: (tx: Tx, aggregateId: string, step: number): Promise<Envelope> =>
      world.outbox.emit(tx, stepped, { aggregateId, version: step, data: { step } }),
    /** Emits in transactions of their own, one after the other. */
    async emitAll(...events: [aggregateId: string, step: number][]): Promise<Envelope[]> {
      const emitted: Envelope[] = [];
      for (const [aggregateId, step] of events)
        emitted.push(await database.transaction((tx) => world.emit(tx, aggregateId, step)));
      return emitted;
    },
    /** What took effect, in the order in which it did: `ord_a/1`. */
    async effects(): Promise<string[]> {
      const { rows } = await database.query<{ aggregate_id: string; step: number }>(
        "select aggregate_id, step from effects order by position",
      );
      return rows.map((row) => `${row.aggregate_id}/${row.step}`);
    },
    async count(table: "outbox" | "pending" | "inbox" | "inbox_tries" | "dead_letters" | "leases"): Promise<number> {
      return Number((await database.query(`select count(*) from ashlar.${table}`)).rows[0]!.count);
    },
  };
  return world;
}

/** A promise and the function that fulfils it. */
export function createGate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** A bus whose deliveries go through `around`. */
export function wrapBus(
  bus: Bus,
  around: (
    deliver: () => ReturnType<Bus["deliver"]>,
    events: Envelope[],
    subscriber: string,
    signal: AbortSignal | undefined,
  ) => ReturnType<Bus["deliver"]>,
): Bus {
  return {
    ...bus,
    deliver: (subscriber, events, signal) =>
      around(() => bus.deliver(subscriber, events, signal), events, subscriber, signal),
  };
}
