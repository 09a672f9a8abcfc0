// What an inbox remembers: events it has dealt with, and how often others were refused.

import { timestamp, uuidv7From } from "../base/index.ts";
import type { Envelope } from "../contract/index.ts";
import type { Database, Tx } from "../data/index.ts";
import { addLetter } from "./dead-letters.ts";
import { eventId, eventUuid } from "./envelope.ts";

/** Notes that the event was dealt with. `fresh` is false when it was before; `behind` when its aggregate has dead letters. */
export async function remember(tx: Tx, event: Envelope): Promise<{ fresh: boolean; behind: boolean }> {
  const { rows } = await tx.query<{ fresh: boolean; behind: boolean }>(insertSeen, [
    eventUuid(event.id),
    event.aggregateId,
  ]);
  return rows[0]!;
}

// The insert waits for a transaction that is dealing with the same event, and then finds its row.
const insertSeen = {
  name: "ashlar_inbox_insert",
  text: `
    with fresh as (insert into ashlar.inbox (event_id) values ($1) on conflict do nothing returning event_id)
    select exists (select from fresh) as fresh, exists (select from ashlar.dead_letters where aggregate_id = $2) as behind`,
};

/** `remember` for events of different aggregates: those that were not dealt with before, and who among them is behind. */
export async function rememberAll(
  tx: Tx,
  events: readonly Envelope[],
): Promise<{ fresh: ReadonlySet<string>; behind: ReadonlySet<string> }> {
  const [inserted, behind] = await Promise.all([
    tx.query<{ event_id: string }>(insertAllSeen, [events.map(({ id }) => eventUuid(id))]),
    tx.query<{ aggregate_id: string }>(selectBehind, [events.map(({ aggregateId }) => aggregateId)]),
  ]);
  return {
    fresh: new Set(inserted.rows.map(({ event_id }) => eventId(event_id))),
    behind: new Set(behind.rows.map(({ aggregate_id }) => aggregate_id)),
  };
}

// In one order everywhere, so that two processes that are given the same events do not wait for each other.
const insertAllSeen = {
  name: "ashlar_inbox_insert_all",
  text: `
    insert into ashlar.inbox (event_id) select event_id from unnest($1::uuid[]) as e (event_id) order by event_id
    on conflict do nothing returning event_id`,
};

const selectBehind = {
  name: "ashlar_dead_behind",
  text: "select distinct aggregate_id from ashlar.dead_letters where aggregate_id = any ($1::text[])",
};

/** Counts a failure outside of the transaction that failed, so that it outlives it. */
export async function countTry(database: Database, event: Envelope, reason: string): Promise<number> {
  const { rows } = await database.query<{ tries: number }>(
    `insert into ashlar.inbox_tries as t (event_id, tries, last_error) values ($1, 1, $2)
     on conflict (event_id) do update set tries = t.tries + 1, last_error = excluded.last_error, last_tried_at = now()
     returning tries`,
    [eventUuid(event.id), reason],
  );
  return rows[0]!.tries;
}

/** Gives an event up: it counts as dealt with and lies with the dead letters. */
export async function bury(tx: Tx, event: Envelope, reason: string, tries: number): Promise<void> {
  const { fresh } = await remember(tx, event);
  if (!fresh) return;
  await addLetter(tx, event, { reason, tries });
  await tx.query("delete from ashlar.inbox_tries where event_id = $1", [eventUuid(event.id)]);
}

/** Forgets what is older than a moment, a bounded number of rows at a time, and returns how many events it forgot. */
export async function forget(database: Database, beforeMs: number, purgeSize: number): Promise<number> {
  const before = timestamp(Math.max(0, beforeMs));
  await database.query(
    "delete from ashlar.inbox_tries where event_id in (select event_id from ashlar.inbox_tries where last_tried_at < $1 limit $2)",
    [before, purgeSize],
  );
  // Ids are in order of time, so the primary key finds the old ones; one that came late stays its time.
  const { rowCount } = await database.query(
    `delete from ashlar.inbox where event_id in (
       select event_id from ashlar.inbox where event_id < $1::uuid and received_at < $2 order by event_id limit $3)`,
    [uuidv7From(Math.max(0, beforeMs), new Uint8Array(10)), before, purgeSize],
  );
  return rowCount;
}
