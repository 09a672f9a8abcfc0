// Passwords: which are refused, and changing one's own.

import { passwordIssue, type PasswordContext } from "ashlar/auth";
import { conflict, Failure, type In, invalid, notFound } from "ashlar/contract";
import type { Context } from "ashlar/service";
import { decodeId } from "ashlar/base";
import { type identity, user, wrongPassword } from "./contract.ts";
import { endLinks } from "./links.ts";
import type { Parts } from "./parts.ts";
import { endSessionsOf } from "./sessions.ts";
import { endTry, takeBack, type Try, tryPassword } from "./tries.ts";

type ChangePassword = In<typeof identity.operations.changePassword>;

/** 400 for a password that others would guess. The sentence is for the person who chose it. */
export function refuseWeak(field: string, password: string, about: PasswordContext, { title }: Parts): void {
  const { email, name } = about;
  const issue = passwordIssue(password, { email, name, service: title });
  if (issue !== undefined) throw invalid([{ field, message: issue }]);
}

/**
 * Changes the caller's password and ends all other sessions: whoever else was signed in is out.
 * Nothing that clients see of a user changes, so its version stays and no event is emitted. A wrong current
 * password counts like a failed sign-in: whoever has an access token shall not find the password with it.
 */
export async function changePassword(ctx: Context, { params, body }: ChangePassword, parts: Parts): Promise<void> {
  const account = await ctx.table(user).get(ctx.db, params.id);
  if (account === undefined) throw notFound();
  const { email, passwordHash } = account as typeof account & { passwordHash: string };
  const current = { email, password: body.currentPassword, find: async () => ({ passwordHash }) };
  const { ok, attempt } = await tryPassword(ctx, current, parts);
  if (!ok) throw wrong(ctx);
  let isChanged = false;
  try {
    refuseWeak("newPassword", body.newPassword, account, parts);
    const newHash = await parts.passwords.hash(body.newPassword);
    await change(ctx, account.id, { passwordHash, newHash, attempt }, parts);
    isChanged = true;
  } finally {
    if (!isChanged) await takeBack(ctx, attempt);
  }
  ctx.security("password_changed");
}

async function change(
  ctx: Context,
  userId: string,
  { passwordHash, newHash, attempt }: { passwordHash: string; newHash: string; attempt: Try },
  parts: Parts,
): Promise<void> {
  await ctx.transaction(async (tx) => {
    // Only in place of the hash that was verified: of two changes at once the second has not shown
    // that it knows the password of the first. The update also keeps logins out until this commits.
    const text = "update users set password_hash = $3 where id = $1 and password_hash = $2 and deleted_at is null";
    const { rowCount } = await tx.query(text, [decodeId("usr", userId)!, passwordHash, newHash]);
    if (rowCount === 0) throw conflict("The password was changed at the same time");
    await endLinks(ctx, tx, userId, ["reset_password"]);
    await endSessionsOf(ctx, tx, userId, parts, callersSession(ctx));
    await endTry(ctx, tx, attempt);
  });
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
