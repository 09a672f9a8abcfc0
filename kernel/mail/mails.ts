// Mails as rows: written in the transaction that makes them due, taken by whoever sends them.

import { type Clock, type Random, timestamp, uuidv7, uuidv7From } from "../base/index.ts";
import type { Queryable, Tx } from "../data/index.ts";

/** A mail as a service asks for it. */
export interface MailRequest {
  readonly to: string;
  /** One of the service's templates. */
  readonly template: string;
  /** What the template needs. It is stored, so nothing secret may be in it. */
  readonly data: Readonly<Record<string, string>>;
  /** After this it is not worth sending. */
  readonly expiresAtMs: number;
}

/** Has a mail sent when `tx` commits, and only then. */
export async function insertMail(
  tx: Tx,
  { to, template, data, expiresAtMs }: MailRequest,
  { clock, random }: { clock: Clock; random: Random },
): Promise<void> {
  const now = timestamp(clock.nowMs());
  await tx.query(insert, [uuidv7(clock, random), to, template, JSON.stringify(data), now, timestamp(expiresAtMs)]);
}

const insert = {
  name: "ashlar_mail_insert",
  text: `insert into ashlar.mails (id, recipient, template, data, created_at, expires_at, next_try_at)
    values ($1, $2, $3, $4::jsonb, $5, $6, $5)`,
};

export interface ClaimedMail {
  id: string;
  to: string;
  template: string;
  data: Record<string, string>;
  /** This one included. */
  tries: number;
}

/**
 * Takes mails that are due, the oldest first, for `leaseMs`: until then no other process takes them, and
 * after it they are due again unless they were settled.
 */
export async function claimMails(
  db: Queryable,
  { nowMs, leaseMs, limit }: { nowMs: number; leaseMs: number; limit: number },
): Promise<ClaimedMail[]> {
  const { rows } = await db.query<ClaimedMail & { [column: string]: unknown }>(claim, [
    timestamp(nowMs),
    timestamp(nowMs + leaseMs),
    limit,
  ]);
  return rows;
}

const claim = {
  name: "ashlar_mail_claim",
  text: `update ashlar.mails set tries = tries + 1, next_try_at = $2 where id in (
      select id from ashlar.mails where next_try_at <= $1 and expires_at > $1 order by next_try_at limit $3 for update skip locked)
    returning id, recipient as "to", template, data, tries`,
};

export async function markSent(db: Queryable, id: string, nowMs: number): Promise<void> {
  const text = "update ashlar.mails set sent_at = $2, next_try_at = null, last_error = null where id = $1";
  await db.query(text, [id, timestamp(nowMs)]);
}

/** `nextTryAtMs` undefined: it was the last try. */
export async function markFailed(
  db: Queryable,
  id: string,
  { reason, nextTryAtMs }: { reason: string; nextTryAtMs: number | undefined },
): Promise<void> {
  const next = nextTryAtMs === undefined ? null : timestamp(nextTryAtMs);
  await db.query("update ashlar.mails set last_error = $2, next_try_at = $3 where id = $1", [id, reason, next]);
}

/** Gives up on mails whose time has passed before they could be sent; answers their ids. */
export async function expireMails(db: Queryable, nowMs: number): Promise<string[]> {
  const text = `update ashlar.mails set next_try_at = null, last_error = coalesce(last_error, 'its time passed before it was tried')
    where next_try_at is not null and expires_at <= $1 returning id`;
  const { rows } = await db.query<{ id: string }>({ name: "ashlar_mail_expire", text }, [timestamp(nowMs)]);
  return rows.map(({ id }) => id);
}

/** How long a mail can be looked at, sent or not. */
const keepMs = 30 * 24 * 60 * 60_000;

/** Removes old rows, a bounded number at a time. Ids are in the order of time, so the primary key finds them. */
export async function purgeMails(db: Queryable, clock: Clock, batch = 1_000): Promise<void> {
  const text = "delete from ashlar.mails where id in (select id from ashlar.mails where id < $1 order by id limit $2)";
  await db.query(text, [uuidv7From(clock.nowMs() - keepMs, new Uint8Array(10)), batch]);
}

export interface ListedMail {
  id: string;
  to: string;
  template: string;
  data: Record<string, string>;
  createdAt: string;
  state: "waiting" | "sent" | "failed";
  /** Of the last try that failed. */
  reason: string | null;
}

/** The newest mails, oldest first. */
export async function listMails(db: Queryable, { limit, to }: { limit: number; to?: string }): Promise<ListedMail[]> {
  const { rows } = await db.query<ListedMail & { [column: string]: unknown }>(
    `select id, recipient as "to", template, data, created_at as "createdAt", last_error as reason,
       case when sent_at is not null then 'sent' when next_try_at is not null then 'waiting' else 'failed' end as state
     from ashlar.mails where $2::text is null or lower(recipient) = lower($2) order by id desc limit $1`,
    [limit, to ?? null],
  );
  return rows.toReversed();
}
