// Reads of single rows that are asked for in one turn of the event loop are one statement.
//
// Under load a turn brings requests of many connections, and most of what a small read costs, here and in the
// server, is the statement and not the row. Who asks alone gets the statement for one row, a moment later than at once.

import { afterThisTurn } from "../base/index.ts";
import type { Cancellable, Queryable, Row } from "./queryable.ts";

/** Beyond this, another statement does the rest: one that grows with the load would hold up those behind it. */
const togetherMax = 100;

interface Waiting {
  readonly uuid: string;
  resolve(row: Row | undefined): void;
  reject(error: unknown): void;
  /** Says that it need not be told any more when its own time is over. */
  leave(): void;
}

/** Those who wait for one statement. It is cancelled when nobody does any more. */
interface Batch {
  readonly waiting: Set<Waiting>;
  readonly unwanted: AbortController;
}

export interface Reads {
  one(db: Cancellable, uuid: string, signal: AbortSignal): Promise<Row | undefined>;
  many(db: Cancellable, uuids: readonly string[], signal: AbortSignal): Promise<Row[]>;
}

const nothing = () => {};

/**
 * Reads a row by its uuid, or what stands for it, which it has as `id`. Each caller gets the row as the server sent it: to be decoded, not
 * changed. What a `Queryable` shares with others is read with theirs, and each is let go when its own time is over.
 */
export function readTogether(reads: Reads): (db: Queryable, uuid: string) => Promise<Row | undefined> {
  const open = new WeakMap<Cancellable, Batch>();
  return (db, uuid) =>
    new Promise((resolve, reject) => {
      const { shared } = db;
      const batch = batchOf(reads, open, shared?.db ?? db);
      const one: Waiting = { uuid, resolve, reject, leave: nothing };
      batch.waiting.add(one);
      if (shared === undefined) return;
      one.leave = shared.onAbort((reason) => {
        batch.waiting.delete(one);
        if (batch.waiting.size === 0) batch.unwanted.abort(reason);
        reject(reason);
      });
    });
}

function batchOf(reads: Reads, open: WeakMap<Cancellable, Batch>, db: Cancellable): Batch {
  const batch = open.get(db);
  if (batch !== undefined && batch.waiting.size < togetherMax && !batch.unwanted.signal.aborted) return batch;
  const opened = { waiting: new Set<Waiting>(), unwanted: new AbortController() };
  open.set(db, opened);
  afterThisTurn(() => {
    if (open.get(db) === opened) open.delete(db);
    if (opened.waiting.size > 0) void answer(reads, db, opened);
  });
  return opened;
}

/** Never rejects. */
async function answer(reads: Reads, db: Cancellable, { waiting, unwanted: { signal } }: Batch): Promise<void> {
  try {
    const uuids = [...new Set([...waiting].map(({ uuid }) => uuid))];
    const rows =
      uuids.length === 1
        ? new Map([[uuids[0], await reads.one(db, uuids[0]!, signal)]])
        : new Map((await reads.many(db, uuids, signal)).map((row) => [row.id as string, row]));
    for (const { uuid, resolve, leave } of waiting) {
      leave();
      resolve(rows.get(uuid));
    }
  } catch (error) {
    for (const { reject, leave } of waiting) {
      leave();
      reject(error);
    }
  }
}
