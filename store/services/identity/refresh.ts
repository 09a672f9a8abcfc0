// Refresh tokens: single use, in families.
//
// A session is a family: its first token and every successor. Of a family one token is in force; the
// others are kept as rows, so that the use of any of them is recognised as reuse: then someone has a
// copy, nobody can tell who, and the session ends. The one exception is who lost the answer: shortly
// after, the token before the one in force gets that very one again, since a token is a function of its
// id (kernel/auth), and nothing is rotated. Once the successor has been used, its answer did arrive.
//
// The session's row is locked before anything is read of its tokens. All refreshes of a family therefore
// pass one by one, and each sees what the one before it left: of any number at once one rotates and the
// others are retries; a successor that was being made when the family ended is as dead as the rest.

import { type AccessSubject, type RefreshClaims, tokenRefused } from "ashlar/auth";
import { decodeId, timestamp } from "ashlar/base";
import type { In, Out } from "ashlar/contract";
import type { Tx } from "ashlar/data";
import type { Context } from "ashlar/service";
import { type identity, user } from "./contract.ts";
import type { Parts } from "./parts.ts";
import { type Family, insertToken, lockFamily, readToken, supersede, tokenHash } from "./refresh-tokens.ts";
import { endSession } from "./sessions.ts";
import { noteDevice } from "./tries.ts";

type Refresh = typeof identity.operations.refresh;

type Outcome =
  | { kind: "granted"; subject: AccessSubject; refreshToken: string }
  | { kind: "refused"; why: string }
  | { kind: "reused"; sessionId: string };

/** Exchanges a refresh token for a new pair. Everything that is refused is the same 401; the log knows why. */
export async function refresh(ctx: Context, { body }: In<Refresh>, parts: Parts): Promise<Out<Refresh>> {
  const claims = await parts.tokens.verifyRefresh(body.refreshToken);
  const outcome = await ctx.transaction((tx) => exchange(ctx, tx, body.refreshToken, claims, parts));
  if (outcome.kind === "granted") return grant(outcome.subject, outcome.refreshToken, parts);
  if (outcome.kind === "refused") throw tokenRefused(outcome.why);
  // Not thrown in the transaction: that the session ended has to stay.
  ctx.security("refresh_token_reused", { userId: claims.userId, sessionId: outcome.sessionId });
  throw tokenRefused("The token was used before");
}

async function exchange(ctx: Context, tx: Tx, token: string, claims: RefreshClaims, parts: Parts): Promise<Outcome> {
  const family = await lockFamily(tx, claims.tokenId);
  if (family === undefined || family.userId !== claims.userId)
    return { kind: "refused", why: "The token belongs to no session" };
  const asOfMs = ctx.clock.nowMs();
  if (family.ended || family.expiresAtMs <= asOfMs) return { kind: "refused", why: "The session has ended" };
  const owner = await ctx.table(user).get(tx, family.userId);
  if (owner === undefined) return { kind: "refused", why: "The user is gone" };
  const { email, roles } = owner;
  const subject = { userId: family.userId, email, roles, sessionId: family.sessionId, asOfMs };

  const superseded = await readToken(tx, claims.tokenId);
  if (superseded === undefined) {
    if (tokenHash(token) !== family.tokenHash)
      return { kind: "refused", why: "The token is not the one that was issued" };
    const refreshToken = await rotate(ctx, tx, family, claims.tokenId, parts);
    await noteDevice(ctx, tx, email, parts);
    return { kind: "granted", subject, refreshToken };
  }
  const successor = await parts.tokens.signRefresh({
    userId: family.userId,
    tokenId: superseded.successorId,
    expiresAtMs: family.absoluteExpiresAtMs,
  });
  const isRetry =
    asOfMs - superseded.supersededAtMs <= parts.policy.refreshRetryMs && tokenHash(successor) === family.tokenHash;
  if (isRetry) return { kind: "granted", subject, refreshToken: successor };
  await endSession(ctx, tx, family.sessionId, parts);
  return { kind: "reused", sessionId: family.sessionId };
}

/** Puts a new token in force in place of `usedId`. */
async function rotate(ctx: Context, tx: Tx, family: Family, usedId: string, { tokens }: Parts): Promise<string> {
  const { userId, sessionId, absoluteExpiresAtMs } = family;
  const nowMs = ctx.clock.nowMs();
  const now = timestamp(nowMs);
  const tokenId = ctx.newId("tok");
  const refreshToken = await tokens.signRefresh({ userId, tokenId, expiresAtMs: absoluteExpiresAtMs });
  await supersede(tx, { tokenId: usedId, successorId: tokenId, at: now });
  await insertToken(tx, { tokenId, sessionId, createdAt: now });
  const expiresAt = timestamp(Math.min(nowMs + tokens.refreshTtlMs, absoluteExpiresAtMs));
  await tx.query(useSession, [decodeId("ses", sessionId)!, now, tokenHash(refreshToken), expiresAt]);
  return refreshToken;
}

const useSession = {
  name: "identity.use_session",
  text: "update sessions set last_used_at = $2, updated_at = $2, version = version + 1, token_hash = $3, expires_at = $4 where id = $1",
};

/** The answer to a login or a refresh. */
export async function grant(subject: AccessSubject, refreshToken: string, { tokens }: Parts): Promise<Out<Refresh>> {
  return {
    accessToken: await tokens.signAccess(subject),
    refreshToken,
    tokenType: "Bearer",
    expiresIn: Math.floor(tokens.accessTtlMs / 1000),
  };
}
