// API keys: made and ended by their owner, recognised for every service.
//
// A key ends like a session: the row says so, this process ends it when that commits, and the others read the
// row (revocation-feed.ts).

import { makeApiKey, tokenRefused } from "ashlar/auth";
import { decodeId, encodeId } from "ashlar/base";
import { type In, type Out, type RowOf, unprocessable } from "ashlar/contract";
import type { Queryable, Tx } from "ashlar/data";
import { type Context, removeRow, type StandardInput } from "ashlar/service";
import { apiKey, type identity, user } from "./contract.ts";
import type { Parts } from "./parts.ts";

type Identify = typeof identity.operations.identifyApiKey;
type NewKey = Pick<RowOf<typeof apiKey>, "name" | "scopes" | "expiresAt">;

/** `POST /users/{userId}/api-keys`. The answer is the only place where the key itself ever is. */
export async function createApiKey(ctx: Context, { params, body }: StandardInput, { policy }: Parts) {
  const { name, scopes, expiresAt } = body as NewKey;
  if (expiresAt !== null && Date.parse(expiresAt) <= ctx.clock.nowMs()) {
    const details = [{ field: "expiresAt", message: "is past" }];
    throw unprocessable("A key that has expired already would be of no use", { details });
  }
  const id = ctx.newId("key");
  const { key, secretHash } = makeApiKey(id, ctx.random);
  const created = await ctx.transaction(async (tx) => {
    const userId = params.userId!;
    await refuseTooMany(tx, userId, policy.apiKeysPerUserMax);
    const values = { id, userId, name, scopes, expiresAt, lastUsedAt: null, secretHash };
    return { ...(await ctx.table(apiKey).insert(tx, values, ctx.now())), key };
  });
  ctx.security("api_key_made", { apiKeyId: id, scopes });
  return created;
}

/** Under the lock on the owner's row, so that keys are counted one after the other. */
async function refuseTooMany(tx: Tx, userId: string, max: number): Promise<void> {
  const owner = [decodeId("usr", userId)!];
  await tx.query("select 1 from users where id = $1 for update", owner);
  const text = "select count(*)::int as count from api_keys where user_id = $1 and deleted_at is null";
  const { rows } = await tx.query<{ count: number }>(text, owner);
  if (rows[0]!.count >= max)
    throw unprocessable(`A user may have at most ${max} API keys. Delete one that is not used.`);
}

/** `DELETE /users/{userId}/api-keys/{id}`. */
export async function deleteApiKey(ctx: Context, input: StandardInput, { revocations }: Parts): Promise<void> {
  await removeRow(ctx, apiKey, input, async (tx, removed) =>
    tx.afterCommit(() => revocations.revokeSession(removed.id)),
  );
  ctx.security("api_key_deleted", { about: input.params.userId, apiKeyId: input.params.id });
}

/** Ends every key of a user. */
export async function endApiKeysOf(ctx: Context, tx: Tx, userId: string, { revocations }: Parts): Promise<void> {
  const text =
    "update api_keys set deleted_at = $1, updated_at = $1, version = version + 1 where user_id = $2 and deleted_at is null returning id";
  const { rows } = await tx.query<{ id: string }>(text, [ctx.now(), decodeId("usr", userId)!]);
  for (const { id } of rows) tx.afterCommit(() => revocations.revokeSession(encodeId("key", id)));
}

interface KeyRow extends Record<string, unknown> {
  user_id: string;
  scopes: Out<Identify>["scopes"];
  expires_at: string | null;
}

/** For the gateway: whom a key acts for. Unknown, over, wrong and without a living owner are one refusal. */
export async function identifyApiKey(ctx: Context, { body }: In<Identify>): Promise<Out<Identify>> {
  const key = await useKey(ctx.db, body, ctx.now());
  const owner = key && (await ctx.table(user).get(ctx.db, encodeId("usr", key.user_id)));
  if (key === undefined || owner === undefined) throw tokenRefused("No API key in force is this one");
  const { id: userId, email, roles } = owner;
  return { userId, email, roles, scopes: key.scopes, expiresAt: key.expires_at };
}

/** Finds a key in force and notes its use. What is compared is a hash: how far it matches tells nothing of the secret. */
async function useKey(db: Queryable, { id, secretHash }: In<Identify>["body"], now: string) {
  const { rows } = await db.query<KeyRow>(
    {
      name: "identity.use_api_key",
      text: `update api_keys set last_used_at = $3, updated_at = $3, version = version + 1
        where id = $1 and secret_hash = $2 and deleted_at is null and (expires_at is null or expires_at > $3)
        returning user_id, scopes, expires_at`,
    },
    [decodeId("key", id)!, secretHash, now],
  );
  return rows[0];
}
