// Users: what registering, changing and deleting one means beyond the row.

import { canonicalJson, timestamp } from "ashlar/base";
import type { Representation, RowOf } from "ashlar/contract";
import type { Tx } from "ashlar/data";
import { changeRow, type Context, createRow, removeRow, type StandardInput } from "ashlar/service";
import { endApiKeysOf } from "./api-keys.ts";
import { user } from "./contract.ts";
import { endLinks, sendLink } from "./links.ts";
import type { Parts } from "./parts.ts";
import { refuseWeak } from "./password.ts";
import { endSessionsOf } from "./sessions.ts";
import { forgetDevices } from "./tries.ts";

type Row = RowOf<typeof user>;

/**
 * Registers a user. The password is hashed before anybody looks whether the email is taken, so a taken
 * one costs the same time; that it is taken is said all the same (409), as the contract has it.
 */
export async function createUser(
  ctx: Context,
  { body }: StandardInput,
  parts: Parts,
): Promise<Representation<typeof user>> {
  const { password, ...values } = body as Pick<Row, "email" | "name"> & { password: string };
  refuseWeak("password", password, values, parts);
  const passwordHash = await parts.passwords.hash(password);
  return createRow(ctx, user, { ...values, passwordHash }, async (tx, created) => {
    await sendLink(ctx, tx, "verify_email", created, parts);
  });
}

/** PUT and PATCH. A new email is not verified and gets a link; new roles count for every token at once. */
export async function changeUser(
  ctx: Context,
  input: StandardInput,
  parts: Parts,
): Promise<Representation<typeof user>> {
  return changeRow(ctx, user, input, async (tx, current, { email, roles }) => ({
    ...(email === current.email ? {} : await changeEmail(ctx, tx, current, email as string, parts)),
    ...(canonicalJson(roles ?? current.roles) === canonicalJson(current.roles)
      ? {}
      : changeRoles(ctx, tx, current, roles as Row["roles"], parts)),
  }));
}

/** Deletes a user softly and ends every session and API key; the email is free again. */
export async function deleteUser(ctx: Context, input: StandardInput, parts: Parts): Promise<void> {
  await removeRow(ctx, user, input, async (tx, removed) => {
    await endSessionsOf(ctx, tx, removed.id, parts);
    await endApiKeysOf(ctx, tx, removed.id, parts);
    await endLinks(ctx, tx, removed.id, ["verify_email", "reset_password"]);
    await forgetDevices(ctx, tx, removed.email, parts);
    tx.afterCommit(() => parts.revocations.revokeUser(removed.id));
  });
}

async function changeEmail(
  ctx: Context,
  tx: Tx,
  current: Row,
  email: string,
  parts: Parts,
): Promise<{ emailVerifiedAt: null }> {
  // What was sent to the old address proves nothing of the new one, and may be in other hands.
  await endLinks(ctx, tx, current.id, ["verify_email", "reset_password"]);
  await sendLink(ctx, tx, "verify_email", { id: current.id, email }, parts);
  await forgetDevices(ctx, tx, current.email, parts);
  return { emailVerifiedAt: null };
}

// The moment of a change is what orders it against others, here and in the processes that read it from
// the row (revocation-feed.ts). It is taken under the row's lock, and rises even when two processes'
// clocks differ; `revocations.setRoles` would take a moment of its own, after the commit.
function changeRoles(
  ctx: Context,
  tx: Tx,
  current: Row,
  roles: Row["roles"],
  { revocations }: Parts,
): { rolesChangedAt: string } {
  const before = current.rolesChangedAt as string | null;
  const atMs = Math.max(ctx.clock.nowMs(), before === null ? 0 : Date.parse(before) + 1);
  tx.afterCommit(() => {
    revocations.apply([{ kind: "roles", userId: current.id, roles, atMs }]);
    ctx.security("roles_changed", { about: current.id, roles });
  });
  return { rolesChangedAt: timestamp(atMs) };
}
