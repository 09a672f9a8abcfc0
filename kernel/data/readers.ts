// Statements outside transactions: a few connections, each shared by everybody at once.
//
// A pool lends a connection to one caller for a round trip. Here statements are written to the wire
// as they come and answered in order (pipelining), so a connection is never checked out and never
// idle while there is work: three times the throughput of a pool. The price: a slow statement holds
// up those behind it, up to `statement_timeout`. A new statement therefore goes to the connection
// with the fewest before it.
//
// Nobody else may be hurt when a caller gives up: a statement that does not end by itself in a moment is cancelled when
// its turn has come, its connection gets no new ones, and what the request hit by mistake, had no effect and runs again.

import pg from "pg";
import type { Clock, Logger } from "../base/index.ts";
import { CanceledByMistake, sendWithin } from "./cancel.ts";
import { breaksConnection, connectFailure, failureOf, isStaleStatement, unavailable } from "./pg-errors.ts";
import type { QueryResult, Row, Statement } from "./queryable.ts";

/** Beyond this a connection is so far behind that an honest refusal is better than the wait. */
const inFlightMax = 1_000;

interface Slot {
  client: pg.Client | undefined;
  opening: Promise<pg.Client> | undefined;
  inFlight: number;
}

export interface Readers {
  query<R extends Row>(
    sql: Statement,
    values?: readonly unknown[],
    options?: { signal?: AbortSignal },
  ): Promise<QueryResult<R>>;
  /** Opens all connections. Rejects with the first that cannot be opened; what was opened stays. */
  open(): Promise<void>;
  /** Answers what was sent, refuses what comes after. */
  close(): Promise<void>;
}

interface State {
  config: pg.ClientConfig;
  log: Logger;
  clock: Clock;
  slots: Slot[];
  closed: boolean;
}

type Asked = [sql: Statement, values: readonly unknown[] | undefined, signal: AbortSignal | undefined];

/** Connections open when they are first needed, and again when they are needed after a loss. */
export function createReaders(
  config: pg.ClientConfig,
  { size, log, clock }: { size: number; log: Logger; clock: Clock },
): Readers {
  const slots = Array.from({ length: size }, (): Slot => ({ client: undefined, opening: undefined, inFlight: 0 }));
  const state: State = { config, log, clock, slots, closed: false };
  return {
    query: <R extends Row>(sql: Statement, values?: readonly unknown[], { signal }: { signal?: AbortSignal } = {}) =>
      queryOnce<R>(state, sql, values, signal).catch((error: unknown) =>
        repeat<R>(state, [sql, values, signal], error),
      ),
    async open() {
      await Promise.all(state.slots.map(async (slot) => slot.client ?? slot.opening ?? open(state, slot)));
    },
    close: () => close(state),
  };
}

async function queryOnce<R extends Row>(state: State, ...[sql, values, signal]: Asked): Promise<QueryResult<R>> {
  signal?.throwIfAborted();
  const slot = choose(state);
  slot.inFlight++;
  let client = slot.client;
  try {
    client ??= await (slot.opening ?? open(state, slot));
    const { rows, rowCount } = await sendWithin<R>(client, [sql, values], signal, {
      clock: state.clock,
      retire: () => retire(slot, client!),
    });
    return { rows, rowCount };
  } catch (error) {
    if (client !== undefined && breaksConnection(error)) retire(slot, client);
    throw error;
  } finally {
    slot.inFlight--;
  }
}

/** What was refused or stopped before it had an effect may run again, on another connection. */
async function repeat<R extends Row>(state: State, asked: Asked, error: unknown): Promise<QueryResult<R>> {
  const isStale = isStaleStatement(error);
  if (!isStale && !(error instanceof CanceledByMistake)) throw failureOf(error);
  // All of them prepared it, so all of them are stale.
  if (isStale) for (const slot of state.slots) if (slot.client !== undefined) retire(slot, slot.client);
  return queryOnce<R>(state, ...asked).catch((again: unknown) => {
    throw failureOf(again instanceof CanceledByMistake ? again.cause : again);
  });
}

function choose(state: State): Slot {
  if (state.closed) throw unavailable("The database connection is closed");
  const open = state.slots.filter((slot) => slot.client !== undefined);
  const unopened = state.slots.find((slot) => slot.client === undefined && slot.opening === undefined);
  const least = leastBusy(open.length > 0 ? open : state.slots);
  // One more connection for the next time, without waiting for it now.
  if (open.length > 0 && least.inFlight > 0 && unopened !== undefined) openAnother(state, unopened);
  if (least.inFlight >= inFlightMax) throw unavailable("The database is overloaded");
  return least;
}

function leastBusy(slots: readonly Slot[]): Slot {
  return slots.reduce((least, slot) => (slot.inFlight < least.inFlight ? slot : least));
}

function openAnother(state: State, slot: Slot): void {
  open(state, slot).catch((err: unknown) => {
    if (!state.closed) state.log.warn({ err }, "Could not open another database connection");
  });
}

function open(state: State, slot: Slot): Promise<pg.Client> {
  const client = new pg.Client(state.config);
  // Without a listener a connection that dies while idle would end the process.
  client.on("error", (error) => {
    state.log.warn({ err: error }, "A database connection was lost");
    forget(slot, client);
  });
  client.once("end", () => forget(slot, client));
  slot.opening = client
    .connect()
    .then(() => {
      if (state.closed) throw unavailable("The database connection is closed");
      slot.client = client;
      return client;
    })
    .catch((error: unknown) => {
      void client.end().catch(() => {});
      throw connectFailure(error);
    })
    .finally(() => (slot.opening = undefined));
  return slot.opening;
}

/** Takes a connection out of use; what is in flight on it is still answered. */
function retire(slot: Slot, client: pg.Client): void {
  forget(slot, client);
  void client.end().catch(() => {});
}

function forget(slot: Slot, client: pg.Client): void {
  if (slot.client === client) slot.client = undefined;
}

async function close(state: State): Promise<void> {
  state.closed = true;
  await Promise.all(state.slots.map(async ({ opening }) => opening?.catch(() => {})));
  await Promise.all(state.slots.map(async ({ client }) => client?.end()));
}
