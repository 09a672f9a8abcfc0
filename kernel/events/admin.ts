// What an operator does with events: look, replay, drop. Needs a database and no running service, except
// that a replay is done by the service, since the handlers are there.

import type { Envelope } from "../contract/index.ts";
import type { Queryable } from "../data/index.ts";
import { removeLetter } from "./dead-letters.ts";
import { envelopeOf, type EventRow, eventColumns, eventId, eventUuid } from "./envelope.ts";

export interface ListedEvent {
  /** The place in the outbox; `afterSeq` of the next page. */
  seq: number | string;
  state: "delivered" | "pending";
  /** The services that have not confirmed it yet. */
  pending: string[];
  /** Exactly what subscribers get. */
  envelope: Envelope;
}

export interface EventFilter {
  limit: number;
  type?: string;
  aggregateId?: string;
  /** Reads on from here. Without it: the newest. Either way in the order of `seq`. */
  afterSeq?: number | string;
}

export async function listEvents(
  database: Queryable,
  { limit, type, aggregateId, afterSeq }: EventFilter,
): Promise<ListedEvent[]> {
  const direction = afterSeq === undefined ? "desc" : "asc";
  const { rows } = await database.query<EventRow & { pending: string[] }>(
    `select ${eventColumns}, array(
       select s.name from unnest(o.subscribers) as s (name) join ashlar.pending as p on p.subscriber = s.name and p.seq = o.seq
     ) as pending
     from ashlar.outbox as o
     where ($1::text is null or o.type = $1) and ($2::text is null or o.aggregate_id = $2) and ($3::bigint is null or o.seq > $3)
     order by o.seq ${direction} limit $4`,
    [type ?? null, aggregateId ?? null, afterSeq ?? null, limit],
  );
  if (direction === "desc") rows.reverse();
  return rows.map((row) => ({
    seq: row.seq,
    state: row.pending.length === 0 ? "delivered" : "pending",
    pending: row.pending,
    envelope: envelopeOf(row),
  }));
}

export interface DeadLetter {
  id: string;
  type: string;
  aggregateId: string;
  /** The error of the last try, or `behind evt_...` for one that only waits. */
  reason: string;
  tries: number;
  failedAt: string;
  /** Somebody asked for a replay that the service has not done yet. */
  replayRequested: boolean;
  envelope: Envelope;
}

/** Letters in the order in which they would be replayed. */
export async function listDead(database: Queryable, { limit }: { limit: number }): Promise<DeadLetter[]> {
  const { rows } = await database.query<{
    event_id: string;
    type: string;
    aggregate_id: string;
    reason: string;
    tries: number;
    failed_at: string;
    replay_requested: boolean;
    envelope: Envelope;
  }>(
    `select event_id, type, aggregate_id, reason, tries, failed_at, replay_requested_at is not null as replay_requested, envelope
     from ashlar.dead_letters order by position limit $1`,
    [limit],
  );
  return rows.map((row) => ({
    id: eventId(row.event_id),
    type: row.type,
    aggregateId: row.aggregate_id,
    reason: row.reason,
    tries: row.tries,
    failedAt: row.failed_at,
    replayRequested: row.replay_requested,
    envelope: row.envelope,
  }));
}

/**
 * Asks the running service to replay a letter with all of its aggregate, in order, or everything.
 * Returns how many letters that is. Done when they are gone from `listDead`; one that fails again
 * is there with its new reason and `replayRequested` false, and so are those behind it.
 */
export async function replayDead(database: Queryable, which: { id: string } | "all"): Promise<number> {
  const { rowCount } = await database.query(
    `update ashlar.dead_letters set replay_requested_at = now()
     where $1::uuid is null or aggregate_id = (select aggregate_id from ashlar.dead_letters where event_id = $1)`,
    [which === "all" ? null : eventUuid(which.id)],
  );
  return rowCount;
}

/** Throws a letter away; its event will have no effect. Letters behind it stay, and can be replayed without it. */
export async function dropDead(database: Queryable, id: string): Promise<boolean> {
  return (await removeLetter(database, eventUuid(id))) === 1;
}
