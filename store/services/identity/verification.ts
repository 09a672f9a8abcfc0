// Showing that an email address is one's own.

import { errors, Failure, type In } from "ashlar/contract";
import { type Context, writeChange } from "ashlar/service";
import { type identity, user } from "./contract.ts";
import { findLink, linkRefused, sendLink, useLink } from "./links.ts";
import type { Parts } from "./parts.ts";

type VerifyEmail = In<typeof identity.operations.verifyEmail>;

/** Confirms the address that a link was sent to, if it is still the user's. */
export async function verifyEmail(ctx: Context, { body }: VerifyEmail): Promise<void> {
  const link = await findLink(ctx.db, { purpose: "verify_email", token: body.token, nowMs: ctx.clock.nowMs() });
  if (link === undefined) throw linkRefused();
  const verified = await ctx.transaction(async (tx) => {
    const owner = await ctx.table(user).get(tx, link.userId, { lock: true });
    if (owner?.email !== link.email || !(await useLink(ctx, tx, link))) return false;
    await writeChange(ctx, tx, user, owner, { emailVerifiedAt: ctx.now() });
    return true;
  });
  if (!verified) throw linkRefused();
  ctx.security("email_verified", { userId: link.userId });
}

/** Mails the caller a new link; none to who has verified the address. 429 when they were sent too many. */
export async function requestVerification(ctx: Context, parts: Parts): Promise<void> {
  const { caller } = ctx;
  if (caller.kind !== "user") throw new Error("requestVerification is for users: its contract must say signedIn");
  const waitMs = await ctx.transaction(async (tx) => {
    const owner = await ctx.table(user).get(tx, caller.userId, { lock: true });
    return owner === undefined || owner.emailVerifiedAt !== null ? 0 : sendLink(ctx, tx, "verify_email", owner, parts);
  });
  if (waitMs > 0)
    throw new Failure(errors.rateLimited, "Too many mails were sent to this address of late", {
      headers: { "retry-after": String(Math.ceil(waitMs / 1000)) },
    });
}
