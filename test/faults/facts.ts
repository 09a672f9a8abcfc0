// What the databases hold when everything has settled.

import { encodeId } from "ashlar/base";
import type { Database } from "ashlar/data";
import type { Installation } from "./installation.ts";
import { setTimeout as pause } from "node:timers/promises";

export interface EventRow {
  /** The service that announced it. */
  service: string;
  id: string;
  type: string;
  aggregateId: string;
  subscribers: string[];
}

export interface Facts {
  /** From the id of an order to its status. */
  orders: ReadonlyMap<string, string>;
  /** From the id of an order to the state of its stock. */
  reservations: ReadonlyMap<string, string>;
  /** From the id of a product to what is left. */
  stocks: ReadonlyMap<string, number>;
  /** Of each service in the order in which they were announced. */
  events: readonly EventRow[];
  /** By service, the ids of the events it has dealt with, and the moment. */
  inboxes: ReadonlyMap<string, ReadonlyMap<string, string>>;
  deadLetters: number;
  unsettled: number;
}

type Databases = Installation["databases"];

/** Resolves when no event waits and no stock is set aside, or when `timeoutMs` is over; answers how long that took. */
export async function settled(databases: Databases, timeoutMs: number): Promise<number> {
  const startMs = performance.now();
  while (performance.now() - startMs < timeoutMs && (await unsettledIn(databases)) > 0) await pause(100);
  return performance.now() - startMs;
}

export async function readFacts(databases: Databases): Promise<Facts> {
  const [orders, catalog] = [databases.get("orders")!, databases.get("catalog")!];
  const placed = await rows<{ id: string; status: string }>(orders, "select id, status from orders");
  const reserved = await rows<{ id: string; state: string }>(catalog, "select order_id as id, state from reservations");
  const products = await rows<{ id: string; stock: number }>(catalog, "select id, stock from products");
  const events: EventRow[] = [];
  const inboxes = new Map<string, Map<string, string>>();
  let deadLetters = 0;
  for (const [service, database] of databases) {
    const announced = await rows<Omit<EventRow, "service">>(
      database,
      `select id, type, aggregate_id as "aggregateId", subscribers from ashlar.outbox order by seq`,
    );
    events.push(...announced.map((event) => ({ ...event, service })));
    const received = await rows<{ id: string; at: string }>(
      database,
      `select event_id as id, to_char(received_at, 'YYYYMMDDHH24MISSUS') as at from ashlar.inbox`,
    );
    inboxes.set(service, new Map(received.map(({ id, at }) => [id, at])));
    deadLetters += (await rows(database, "select from ashlar.dead_letters")).length;
  }
  return {
    orders: new Map(placed.map(({ id, status }) => [encodeId("ord", id), status])),
    reservations: new Map(reserved.map(({ id, state }) => [encodeId("ord", id), state])),
    stocks: new Map(products.map(({ id, stock }) => [encodeId("prd", id), stock])),
    events,
    inboxes,
    deadLetters,
    unsettled: await unsettledIn(databases),
  };
}

async function unsettledIn(databases: Databases): Promise<number> {
  let count = (await rows(databases.get("catalog")!, "select from reservations where state = 'held'")).length;
  for (const database of databases.values()) count += (await rows(database, "select from ashlar.pending")).length;
  return count;
}

async function rows<R extends object>(database: Database, sql: string): Promise<R[]> {
  return (await database.query(sql)).rows as R[];
}
