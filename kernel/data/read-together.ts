// Reads of single rows that are asked for in one turn of the event loop are one statement.
//
// Under load a turn brings requests of many connections, and most of what a small read costs, here and in the
// server, is the statement and not the row. Who asks alone gets the statement for one row, a moment later than at once.

import { afterThisTurn } from "../base/index.ts";
import type { Queryable, Row } from "./queryable.ts";

/** Beyond this, another statement does the rest: one that grows with the load would hold up those behind it. */
const togetherMax = 100;

interface Waiting {
  uuid: string;
  resolve(row: Row | undefined): void;
  reject(error: unknown): void;
}

export interface Reads {
  one(db: Queryable, uuid: string): Promise<Row | undefined>;
  many(db: Queryable, uuids: readonly string[]): Promise<Row[]>;
}

/** A `Reads["one"]` whose rows have their uuid, or what stands for it, as `id`. Each caller gets the row as the server sent it: to be decoded, not changed. */
export function readTogether(reads: Reads): Reads["one"] {
  const open = new WeakMap<Queryable, Waiting[]>();
  return (db, uuid) =>
    new Promise((resolve, reject) => {
      const one = { uuid, resolve, reject };
      const waiting = open.get(db);
      if (waiting !== undefined && waiting.length < togetherMax) {
        waiting.push(one);
        return;
      }
      const opened = [one];
      open.set(db, opened);
      afterThisTurn(() => {
        if (open.get(db) === opened) open.delete(db);
        void answer(reads, db, opened);
      });
    });
}

/** Never rejects. */
async function answer(reads: Reads, db: Queryable, waiting: readonly Waiting[]): Promise<void> {
  try {
    const uuids = [...new Set(waiting.map(({ uuid }) => uuid))];
    if (uuids.length === 1) {
      const row = await reads.one(db, uuids[0]!);
      for (const { resolve } of waiting) resolve(row);
      return;
    }
    const rows = new Map((await reads.many(db, uuids)).map((row) => [row.id, row]));
    for (const { uuid, resolve } of waiting) resolve(rows.get(uuid));
  } catch (error) {
    for (const { reject } of waiting) reject(error);
  }
}
