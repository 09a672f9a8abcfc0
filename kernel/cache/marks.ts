// The marks in the service's own database: written by the transaction that changes something, read by everybody.

import type { Queryable, Row, Tx } from "../data/index.ts";

export interface Mark {
  xid: number;
  tags: string[];
}

/** What one look at the marks found; all of it belongs to one snapshot. */
export interface Look {
  /** Which database it is. */
  database: string;
  /** Every transaction below this is over, and what it committed was seen. */
  xmin: number;
  /** Marks of transactions below this are gone. */
  prunedBelow: number;
  /** Undefined: there are more than anybody wants to read. */
  marks: Mark[] | undefined;
}

/** Beyond this it is cheaper to forget everything. */
const marksMax = 20_000;

/** Answers the id of the transaction. Once in a transaction, as its last work. */
export async function writeMark(tx: Tx, tags: readonly string[]): Promise<number> {
  const { rows } = await tx.query<{ xid: string }>(insertMark, [tags]);
  return Number(rows[0]!.xid);
}

const insertMark = {
  name: "ashlar_cache_mark",
  text: "insert into ashlar.cache_marks (tags) values ($1) returning xid::text",
};

/** The marks of transactions that were not over at `since`, or all there are. */
export async function readMarks(db: Queryable, since: number | undefined): Promise<Look> {
  const { rows } = await db.query<Row & Found>(selectMarks, [since?.toString() ?? null, marksMax + 1]);
  const { database, xmin, pruned_below, marks } = rows[0]!;
  const found = JSON.parse(marks ?? "[]") as [string, string[]][];
  return {
    database,
    xmin: Number(xmin),
    prunedBelow: Number(pruned_below),
    marks: found.length > marksMax ? undefined : found.map(([xid, tags]) => ({ xid: Number(xid), tags })),
  };
}

interface Found {
  database: string;
  xmin: string;
  pruned_below: string;
  marks: string | null;
}

const selectMarks = {
  name: "ashlar_cache_look",
  text: `
    select h.database, pg_snapshot_xmin(pg_current_snapshot())::text as xmin, h.pruned_below::text, (
      select json_agg(json_build_array(xid::text, tags))::text from (
        select xid, tags from ashlar.cache_marks where xid >= coalesce($1::xid8, h.pruned_below) limit $2
      ) as found
    ) as marks
    from ashlar.cache_horizon as h`,
};

/**
 * Deletes the marks that were settled when it last ran, which is at least `keepMs` ago by the clock of the database.
 * Run by several processes, one of them does it. Transaction ids start anew in a database that was restored from a
 * dump: what lies ahead of all of them is from before.
 */
export async function pruneMarks(db: Queryable, keepMs: number): Promise<number> {
  const { rowCount } = await db.query(
    `with moved as (
       update ashlar.cache_horizon
       set pruned_below = prunable_below, prunable_below = pg_snapshot_xmin(pg_current_snapshot()), moved_at = now()
       where moved_at <= now() - make_interval(secs => $1)
       returning pruned_below
     )
     delete from ashlar.cache_marks using moved
     where xid < pruned_below or xid >= pg_snapshot_xmax(pg_current_snapshot())`,
    [keepMs / 1_000],
  );
  return rowCount;
}
