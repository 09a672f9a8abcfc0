// Users: what registering, changing and deleting one means beyond the row.

import { canonicalJson, timestamp } from "ashlar/base";
import type { Representation, RowOf } from "ashlar/contract";
import type { Tx } from "ashlar/data";
import { changeRow, type Context, createRow, removeRow, type StandardInput } from "ashlar/service";
import { endApiKeysOf } from "./api-keys.ts";
import { user } from "./contract.ts";
import type { Parts } from "./parts.ts";
import { refuseWeak } from "./password.ts";
import { endSessionsOf } from "./sessions.ts";

type Row = RowOf<typeof user>;

/**
 * Registers a user. The password is hashed before anybody looks whether the email is taken, so a taken
 * one costs the same time; that it is taken is said all the same (409), as the contract has it.
 */
export async function createUser(
  ctx: Context,
  { body }: StandardInput,
  { passwords }: Parts,
): Promise<Representation<typeof user>> {
  const { password, ...values } = body as Pick<Row, "email" | "name"> & { password: string };
  refuseWeak("password", password, values);
  return createRow(ctx, user, { ...values, passwordHash: await passwords.hash(password) });
}

/** PUT and PATCH. A new email is not verified; new roles count for every token at once. */
export async function changeUser(
  ctx: Context,
  input: StandardInput,
  parts: Parts,
): Promise<Representation<typeof user>> {
  return changeRow(ctx, user, input, async (tx, current, { email, roles }) => ({
    ...(email === current.email ? {} : { emailVerifiedAt: null }),
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
    tx.afterCommit(() => parts.revocations.revokeUser(removed.id));
  });
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
