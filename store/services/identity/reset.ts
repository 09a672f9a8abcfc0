// A new password for who forgot theirs, by a link to their email address.
//
// The request is answered before anybody knows whose address it is: it writes one row, whatever the address. A
// job looks it up and mails the link. So neither the answer nor its time tells whether there is an account.

import { decodeId, encodeId } from "ashlar/base";
import type { In } from "ashlar/contract";
import type { Tx } from "ashlar/data";
import type { Context } from "ashlar/service";
import { type identity, user } from "./contract.ts";
import { endLinks, findLink, linkRefused, sendLink, useLink } from "./links.ts";
import type { Parts } from "./parts.ts";
import { refuseWeak } from "./password.ts";
import { endSessionsOf } from "./sessions.ts";
import { startOver } from "./tries.ts";

type ForgotPassword = In<typeof identity.operations.forgotPassword>;
type ResetPassword = In<typeof identity.operations.resetPassword>;

export async function forgotPassword(ctx: Context, { body }: ForgotPassword): Promise<void> {
  // Asked again before the job has come by, it is the same request.
  const text = `insert into password_reset_requests (email, requested_at) values (lower($1::text collate "C"), $2) on conflict do nothing`;
  await ctx.db.query({ name: "identity.forgot_password", text }, [body.email, ctx.now()]);
}

/** Requests in one transaction, and transactions in one run. */
const batch = 50;
const batchesMax = 20;

/** Mails a link to everybody who asked and has an account. */
export async function answerResetRequests(ctx: Context, parts: Parts): Promise<void> {
  for (let count = 0; count < batchesMax; count++) {
    if ((await ctx.transaction((tx) => answerSome(ctx, tx, parts))) < batch) return;
  }
}

async function answerSome(ctx: Context, tx: Tx, parts: Parts): Promise<number> {
  const { rows } = await tx.query<{ email: string; id: string | null }>(
    `with taken as (
       delete from password_reset_requests where email in (
         select email from password_reset_requests order by requested_at limit $1 for update skip locked)
       returning email)
     select taken.email, u.id from taken
     left join users u on lower(u.email collate "C") = taken.email and u.deleted_at is null order by u.id`,
    [batch],
  );
  for (const { email, id } of rows) {
    const owner = id === null ? undefined : await ctx.table(user).get(tx, encodeId("usr", id), { lock: true });
    // Read again under the lock: a user who has moved to another address is not mailed there for having had this one.
    if (owner?.email.toLowerCase() === email) await sendLink(ctx, tx, "reset_password", owner, parts);
  }
  return rows.length;
}

/** Sets a new password for the user that a link was sent to, and ends every session. A weak password uses no link up. */
export async function resetPassword(ctx: Context, { body }: ResetPassword, parts: Parts): Promise<void> {
  const link = await findLink(ctx.db, { purpose: "reset_password", token: body.token, nowMs: ctx.clock.nowMs() });
  const about = link && (await ctx.table(user).get(ctx.db, link.userId));
  if (link === undefined || about === undefined) throw linkRefused();
  refuseWeak("newPassword", body.newPassword, about, parts);
  const hash = await parts.passwords.hash(body.newPassword);

  const isSet = await ctx.transaction(async (tx) => {
    const owner = await ctx.table(user).get(tx, link.userId, { lock: true });
    if (owner?.email !== link.email || !(await useLink(ctx, tx, link))) return false;
    await setPassword(ctx, tx, owner.id, hash, parts);
    await startOver(ctx, tx, owner.email, parts);
    return true;
  });
  if (!isSet) throw linkRefused();
  ctx.security("password_reset", { userId: link.userId });
}

async function setPassword(ctx: Context, tx: Tx, userId: string, hash: string, parts: Parts): Promise<void> {
  await tx.query("update users set password_hash = $2 where id = $1", [decodeId("usr", userId)!, hash]);
  await endLinks(ctx, tx, userId, ["reset_password"]);
  await endSessionsOf(ctx, tx, userId, parts);
}
