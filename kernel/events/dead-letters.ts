// Events that were given up on.
//
// A dead letter takes the later events of its aggregate with it: they wait behind it, so that a replay
// has them in order. The unit of replay is therefore the aggregate. Whoever adds a letter behind
// another, or replays, holds a lock on the aggregate, so that no event slips in behind the last letter
// just as that is being replayed.

import type { Envelope } from "../contract/index.ts";
import type { Queryable, Row, Tx } from "../data/index.ts";
import { eventId, eventUuid } from "./envelope.ts";

export interface LetterRow extends Row {
  event_id: string;
  aggregate_id: string;
  envelope: Envelope;
  replay_requested_at: string | null;
}

const reasonLengthMax = 2_000;

export function reasonOf(error: unknown): string {
  // PostgreSQL takes no NUL and no half characters, and a message may quote anything.
  return String(error instanceof Error ? error.message : error)
    .slice(0, reasonLengthMax)
    .replaceAll("\u0000", "")
    .toWellFormed();
}

/** Adds a letter; does nothing when it is there already. */
export async function addLetter(
  tx: Tx,
  event: Envelope,
  { reason, tries, replayRequestedAt = null }: { reason: string; tries: number; replayRequestedAt?: string | null },
): Promise<void> {
  await tx.query(insertLetter, [
    eventUuid(event.id),
    event.type,
    event.aggregateId,
    JSON.stringify(event),
    reason,
    tries,
    replayRequestedAt,
  ]);
}

const insertLetter = {
  name: "ashlar_dead_insert",
  text: `
    insert into ashlar.dead_letters (event_id, type, aggregate_id, envelope, reason, tries, replay_requested_at)
    values ($1, $2, $3, $4::jsonb, $5, $6, $7) on conflict do nothing`,
};

/** Puts the event behind the letters of its aggregate; false when there are none (any more). */
export async function joinLetters(tx: Tx, event: Envelope): Promise<boolean> {
  await lockAggregate(tx, event.aggregateId);
  const first = await firstLetter(tx, event.aggregateId);
  if (first === undefined) return false;
  // While a replay is on its way, it takes this one along.
  await addLetter(tx, event, {
    reason: `behind ${eventId(first.event_id)}`,
    tries: 0,
    replayRequestedAt: first.replay_requested_at,
  });
  return true;
}

/** The letter of an aggregate that has to be dealt with before all others. */
export async function firstLetter(database: Queryable, aggregateId: string): Promise<LetterRow | undefined> {
  const { rows } = await database.query<LetterRow>(
    `select event_id, aggregate_id, envelope, replay_requested_at
     from ashlar.dead_letters where aggregate_id = $1 order by position limit 1`,
    [aggregateId],
  );
  return rows[0];
}

/** Until the end of the transaction. */
export async function lockAggregate(tx: Tx, aggregateId: string): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('ashlar.dead_letters:' || $1, 0))", [aggregateId]);
}

/** The aggregates somebody wants replayed, those that asked first first. */
export async function requestedAggregates(database: Queryable, limit: number): Promise<string[]> {
  const { rows } = await database.query<{ aggregate_id: string }>(
    `select aggregate_id from ashlar.dead_letters where replay_requested_at is not null
     group by aggregate_id order by min(position) limit $1`,
    [limit],
  );
  return rows.map((row) => row.aggregate_id);
}

export async function removeLetter(database: Queryable, uuid: string): Promise<number> {
  const { rowCount } = await database.query("delete from ashlar.dead_letters where event_id = $1", [uuid]);
  return rowCount;
}

/** A replay failed: its letter says why, and the whole aggregate rests until somebody asks again. */
export async function refuseReplay(database: Queryable, letter: LetterRow, reason: string): Promise<void> {
  await database.query(
    `update ashlar.dead_letters set
       replay_requested_at = null,
       reason = case when event_id = $2 then $3 else reason end,
       tries = tries + case when event_id = $2 then 1 else 0 end,
       failed_at = case when event_id = $2 then now() else failed_at end
     where aggregate_id = $1`,
    [letter.aggregate_id, letter.event_id, reason],
  );
}
