// The rows of refresh tokens, and the session they belong to.

import { createHash } from "node:crypto";
import { decodeId, encodeId } from "ashlar/base";
import type { Tx } from "ashlar/data";

/** A session as its row says, under its lock. */
export interface Family {
  sessionId: string;
  userId: string;
  /** Of the token in force. */
  tokenHash: string;
  expiresAtMs: number;
  absoluteExpiresAtMs: number;
  ended: boolean;
}

interface SessionRow {
  [column: string]: unknown;
  id: string;
  user_id: string;
  token_hash: string;
  expires_at: string;
  absolute_expires_at: string;
  deleted_at: string | null;
}

/**
 * Locks the session of a token, living or ended; undefined when no session has such a token. Read the
 * token afterwards, in a statement of its own: one that joined the two would, after waiting for the
 * lock, see the session as it is now and its tokens as they were before.
 */
export async function lockFamily(tx: Tx, tokenId: string): Promise<Family | undefined> {
  const { rows } = await tx.query<SessionRow>(
    {
      name: "identity.lock_family",
      text: `select id, user_id, token_hash, expires_at, absolute_expires_at, deleted_at from sessions
        where id = (select session_id from refresh_tokens where id = $1) for update`,
    },
    [decodeId("tok", tokenId)!],
  );
  return rows[0] && familyOf(rows[0]);
}

function familyOf(row: SessionRow): Family {
  return {
    sessionId: encodeId("ses", row.id),
    userId: encodeId("usr", row.user_id),
    tokenHash: row.token_hash,
    expiresAtMs: Date.parse(row.expires_at),
    absoluteExpiresAtMs: Date.parse(row.absolute_expires_at),
    ended: row.deleted_at !== null,
  };
}

/** When a token was superseded and by which; undefined while it is in force. */
export async function readToken(
  tx: Tx,
  tokenId: string,
): Promise<{ supersededAtMs: number; successorId: string } | undefined> {
  const { rows } = await tx.query<{ superseded_at: string | null; successor_id: string | null }>(
    { name: "identity.read_token", text: "select superseded_at, successor_id from refresh_tokens where id = $1" },
    [decodeId("tok", tokenId)!],
  );
  const { superseded_at: supersededAt, successor_id: successorId } = rows[0]!;
  if (supersededAt === null || successorId === null) return undefined;
  return { supersededAtMs: Date.parse(supersededAt), successorId: encodeId("tok", successorId) };
}

/** Notes a token of a session, in force. Its text is stored nowhere. */
export async function insertToken(
  tx: Tx,
  token: { tokenId: string; sessionId: string; createdAt: string },
): Promise<void> {
  const text = "insert into refresh_tokens (id, session_id, created_at) values ($1, $2, $3)";
  await tx.query({ name: "identity.insert_token", text }, [
    decodeId("tok", token.tokenId)!,
    decodeId("ses", token.sessionId)!,
    token.createdAt,
  ]);
}

/** Takes a token out of force. Before its successor is inserted: a session has one in force. */
export async function supersede(
  tx: Tx,
  { tokenId, successorId, at }: { tokenId: string; successorId: string; at: string },
): Promise<void> {
  const text = "update refresh_tokens set superseded_at = $2, successor_id = $3 where id = $1";
  await tx.query({ name: "identity.supersede", text }, [decodeId("tok", tokenId)!, at, decodeId("tok", successorId)!]);
}

/** Plain SHA-256: what is hashed holds a signature, there is nothing to guess. */
export function tokenHash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
