// Links in mails that prove an address: single use, an hour at most, one of each kind in force.
//
// Everything that makes or ends a link holds the lock on the user's row. Of any number of uses at once one
// finds the link in force, and a link that was asked for before the email or the password changed is not
// made after it.
//
// A token is a function of the row's id, so the database holds its hash and nothing else, and the
// mail, which is made later, holds the token and is never stored. Who reads the database finds nothing to present.

import { createHash, createHmac } from "node:crypto";
import { decodeId, encodeId, timestamp } from "ashlar/base";
import { Failure } from "ashlar/contract";
import type { Queryable, Tx } from "ashlar/data";
import type { Context } from "ashlar/service";
import { invalidLink } from "./contract.ts";
import type { Parts } from "./parts.ts";

export type LinkPurpose = "verify_email" | "reset_password";

export interface Link {
  /** A uuid: clients never see it. */
  readonly id: string;
  readonly userId: string;
  /** Where it was sent. */
  readonly email: string;
}

/** What bounds the mails to one address, and those of one user, who may change the address. */
const windowMs = 60 * 60_000;

/** The token of a link: 256 bits, the same each time it is asked for. */
export function linkToken(id: string, purpose: string, { secretFor }: Pick<Parts, "secretFor">): string {
  return createHmac("sha256", secretFor("links in mails")).update(`${purpose} ${id}`).digest("base64url");
}

/**
 * Mails a new link, which ends the one before it. Answers how long to wait where too many were sent of
 * late, and 0 otherwise. The caller holds the lock on the user's row.
 */
export async function sendLink(
  ctx: Context,
  tx: Tx,
  purpose: LinkPurpose,
  { id: userId, email }: { id: string; email: string },
  parts: Parts,
): Promise<number> {
  const { policy } = parts;
  const nowMs = ctx.clock.nowMs();
  const waitMs = await waitFor(tx, userId, email, nowMs, policy.linksPerHourMax);
  if (waitMs > 0) {
    ctx.log.warn({ userId, purpose }, "A link was not mailed: too many were of late");
    return waitMs;
  }
  await endLinks(ctx, tx, userId, [purpose]);
  const id = decodeId("lnk", ctx.newId("lnk"))!;
  const expiresAtMs = nowMs + policy.linkTtlMs;
  await tx.query(
    `insert into email_links (id, user_id, purpose, email, token_hash, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      id,
      decodeId("usr", userId)!,
      purpose,
      email,
      hashOf(linkToken(id, purpose, parts)),
      timestamp(nowMs),
      timestamp(expiresAtMs),
    ],
  );
  await ctx.mail(tx, { to: email, template: purpose, data: { linkId: id }, expiresAtMs });
  return 0;
}

async function waitFor(tx: Tx, userId: string, email: string, nowMs: number, max: number): Promise<number> {
  const { rows } = await tx.query<{ created_at: string }>(
    `select created_at from email_links
     where created_at > $1 and (user_id = $2 or lower(email collate "C") = lower($3::text collate "C"))
     order by created_at desc limit $4`,
    [timestamp(nowMs - windowMs), decodeId("usr", userId)!, email, max],
  );
  const oldest = rows[max - 1];
  return oldest === undefined ? 0 : Date.parse(oldest.created_at) + windowMs - nowMs;
}

/** The link of a token, while it can be used. To use it, lock its user and call `useLink`. */
export async function findLink(
  db: Queryable,
  { purpose, token, nowMs }: { purpose: LinkPurpose; token: string; nowMs: number },
): Promise<Link | undefined> {
  const { rows } = await db.query<{ id: string; user_id: string; email: string }>(
    `select id, user_id, email from email_links where token_hash = $1 and purpose = $2 and expires_at > $3 and ended_at is null`,
    [hashOf(token), purpose, timestamp(nowMs)],
  );
  return rows[0] && { id: rows[0].id, userId: encodeId("usr", rows[0].user_id), email: rows[0].email };
}

/** Uses a link up; false when that has happened, or it was ended otherwise. The caller holds the lock on the user's row. */
export async function useLink(ctx: Context, tx: Tx, { id }: Link): Promise<boolean> {
  const text = "update email_links set ended_at = $2 where id = $1 and expires_at > $2 and ended_at is null";
  return (await tx.query(text, [id, ctx.now()])).rowCount === 1;
}

/** Ends what is in force, of these kinds. The caller holds the lock on the user's row. */
export async function endLinks(ctx: Context, tx: Tx, userId: string, purposes: readonly LinkPurpose[]): Promise<void> {
  const text = "update email_links set ended_at = $3 where user_id = $1 and purpose = any($2) and ended_at is null";
  await tx.query(text, [decodeId("usr", userId)!, purposes, ctx.now()]);
}

/** Removes what can no longer be used and no longer counts, a bounded number at a time. */
export async function purgeLinks(ctx: Context, batch = 1_000): Promise<void> {
  await ctx.db.query(
    `delete from email_links where id in (
       select id from email_links where created_at < $1 and expires_at < $2 order by id limit $3 for update skip locked)`,
    [timestamp(ctx.clock.nowMs() - windowMs), ctx.now(), batch],
  );
}

/** One refusal for a token that is unknown, used, replaced or expired. */
export function linkRefused(): Failure {
  return new Failure(invalidLink, "This link was used already or is too old; ask for a new one", {
    details: [{ field: "token", message: "is not or no longer valid" }],
  });
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
