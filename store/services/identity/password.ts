// Passwords: which are refused, and changing one's own.

import { passwordIssue } from "ashlar/auth";
import { conflict, Failure, type In, invalid, notFound } from "ashlar/contract";
import type { Context } from "ashlar/service";
import { decodeId } from "ashlar/base";
import { type identity, user, wrongPassword } from "./contract.ts";
import type { Parts } from "./parts.ts";
import { endSessionsOf } from "./sessions.ts";

type ChangePassword = In<typeof identity.operations.changePassword>;

/** 400 for a password that others would guess. The sentence is for the person who chose it. */
export function refuseWeak(field: string, password: string, about: { email: string; name: string }): void {
  const issue = passwordIssue(password, about);
  if (issue !== undefined) throw invalid([{ field, message: issue }]);
}

/**
 * Changes the caller's password and ends all other sessions: whoever else was signed in is out.
 * Nothing that clients see of a user changes, so its version stays and no event is emitted.
 */
export async function changePassword(ctx: Context, { params, body }: ChangePassword, parts: Parts): Promise<void> {
  const { passwords } = parts;
  const current = await ctx.table(user).get(ctx.db, params.id);
  if (current === undefined) throw notFound();
  const { ok } = await passwords.verify(current.passwordHash as string, body.currentPassword);
  if (!ok) throw wrong(ctx);
  refuseWeak("newPassword", body.newPassword, current);
  const hash = await passwords.hash(body.newPassword);

  await ctx.transaction(async (tx) => {
    // Only in place of the hash that was verified: of two changes at once the second has not shown
    // that it knows the password of the first. The update also keeps logins out until this commits.
    const text = "update users set password_hash = $3 where id = $1 and password_hash = $2 and deleted_at is null";
    const { rowCount } = await tx.query(text, [decodeId("usr", params.id)!, current.passwordHash, hash]);
    if (rowCount === 0) throw conflict("The password was changed at the same time");
    await endSessionsOf(ctx, tx, params.id, parts, callersSession(ctx));
  });
  ctx.security("password_changed");
}

function callersSession({ caller }: Context): { sessionId?: string } {
  return caller.kind === "user" ? { sessionId: caller.sessionId } : {};
}

function wrong(ctx: Context): Failure {
  ctx.security("password_change_refused");
  return new Failure(wrongPassword, "The current password is wrong", {
    details: [{ field: "currentPassword", message: "is wrong" }],
  });
}
