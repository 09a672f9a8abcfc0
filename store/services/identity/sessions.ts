// Sessions: opened by a login, ended by whatever ends trust in it.
//
// Ending one writes the row and, when that commits, ends its access tokens in this process; other
// processes read the row (revocation-feed.ts). Its refresh tokens need nothing: who refreshes locks the
// session first and finds it ended, also when the refresh had begun before.

import { decodeId, encodeId, timestamp } from "ashlar/base";
import type { RowOf } from "ashlar/contract";
import type { Tx } from "ashlar/data";
import { type Context, removeRow, type StandardInput } from "ashlar/service";
import { session } from "./contract.ts";
import type { Parts } from "./parts.ts";
import { insertToken, tokenHash } from "./refresh-tokens.ts";

const userAgentLengthMax = 512;

/** A new session with its first refresh token. The caller holds the lock on the user's row. */
export async function openSession(
  ctx: Context,
  tx: Tx,
  userId: string,
  parts: Parts,
): Promise<{ sessionId: string; refreshToken: string }> {
  const { tokens, policy } = parts;
  const nowMs = ctx.clock.nowMs();
  const absoluteExpiresAtMs = nowMs + policy.sessionMaxAgeMs;
  const tokenId = ctx.newId("tok");
  const refreshToken = await tokens.signRefresh({ userId, tokenId, expiresAtMs: absoluteExpiresAtMs });
  const values: Partial<RowOf<typeof session>> & { id: string } = {
    id: ctx.newId("ses"),
    userId,
    tokenHash: tokenHash(refreshToken),
    expiresAt: timestamp(Math.min(nowMs + tokens.refreshTtlMs, absoluteExpiresAtMs)),
    absoluteExpiresAt: timestamp(absoluteExpiresAtMs),
    lastUsedAt: timestamp(nowMs),
    userAgent: ctx.userAgent?.slice(0, userAgentLengthMax) ?? null,
  };
  await ctx.table(session).insert(tx, values, timestamp(nowMs));
  await insertToken(tx, { tokenId, sessionId: values.id, createdAt: timestamp(nowMs) });
  await endSurplusOf(ctx, tx, userId, parts);
  return { sessionId: values.id, refreshToken };
}

/** `DELETE /users/{userId}/sessions/{id}`. */
export async function deleteSession(ctx: Context, input: StandardInput, { revocations }: Parts): Promise<void> {
  await removeRow(ctx, session, input, async (tx, removed) =>
    tx.afterCommit(() => revocations.revokeSession(removed.id)),
  );
}

/** Ends a session. Ending one that has ended does nothing. */
export async function endSession(ctx: Context, tx: Tx, sessionId: string, parts: Parts): Promise<void> {
  await end(ctx, tx, parts, "id = $2", [decodeId("ses", sessionId)!]);
}

/** Ends the sessions of a user, but not the one to keep. The caller holds the lock on the user's row, so none is opened meanwhile. */
export async function endSessionsOf(
  ctx: Context,
  tx: Tx,
  userId: string,
  parts: Parts,
  keep: { sessionId?: string } = {},
): Promise<void> {
  const kept = keep.sessionId === undefined ? null : decodeId("ses", keep.sessionId)!;
  await end(ctx, tx, parts, "user_id = $2 and id is distinct from $3::uuid", [decodeId("usr", userId)!, kept]);
}

async function endSurplusOf(ctx: Context, tx: Tx, userId: string, parts: Parts): Promise<void> {
  const surplus =
    "select id from sessions where user_id = $2 and deleted_at is null order by last_used_at desc, id desc offset $3";
  await end(ctx, tx, parts, `id in (${surplus})`, [decodeId("usr", userId)!, parts.policy.sessionsPerUserMax]);
}

async function end(
  ctx: Context,
  tx: Tx,
  { revocations }: Parts,
  condition: string,
  values: readonly unknown[],
): Promise<void> {
  const text = `update sessions set deleted_at = $1, updated_at = $1, version = version + 1 where ${condition} and deleted_at is null returning id`;
  const { rows } = await tx.query<{ id: string }>(text, [ctx.now(), ...values]);
  for (const { id } of rows) tx.afterCommit(() => revocations.revokeSession(encodeId("ses", id)));
}
