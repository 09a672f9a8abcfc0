// API keys: how a machine proves for whom it acts.
//
// `key_01h455vb4pex5vsknk084sn02q.8Jk...`: up to the dot it is the id of a row, shown wherever the key is
// listed; behind it are 256 random bits, of which only the SHA-256 is kept: there is nothing to guess, so
// nothing slow is needed. Who owns a key, what it may do and whether it still holds, a service knows that
// has the rows; its answer is remembered for a short time. What ends a key early is a revocation like that of
// a session, so it takes effect at once here, and as fast as any other elsewhere.

import { createHash } from "node:crypto";
import { decodeId, type Clock, type Random } from "../base/index.ts";
import { tokenRefused } from "./refusals.ts";
import type { AccessClaims } from "./tokens.ts";

export interface PresentedKey {
  readonly id: string;
  readonly secretHash: string;
}

/** Whom a key acts for and what it may do. */
export interface KeyOwner {
  readonly userId: string;
  readonly email: string;
  readonly roles: readonly string[];
  /** `orders:read`: the services and whether they may be changed. */
  readonly scopes: readonly string[];
  readonly expiresAt: string | null;
}

const secretBytes = 32;
const format = /^(key_[0-7][0-9a-hjkmnp-tv-z]{25})\.([A-Za-z0-9_-]{43})$/;
/** The rows say when a key was last used, to about this. */
export const rememberedMs = 60_000;

/** A new key for the row `id`. The key itself is to be shown once and kept nowhere. */
export function makeApiKey(id: string, random: Random): { key: string; secretHash: string } {
  const secret = Buffer.from(random.bytes(secretBytes)).toString("base64url");
  return { key: `${id}.${secret}`, secretHash: hashOf(secret) };
}

/** Whether a bearer token claims to be an API key: no signed token begins like one. */
export function isApiKey(token: string): boolean {
  return token.startsWith("key_");
}

export interface ApiKeysOptions {
  /** Asks who owns a key; rejects with 401 when it is unknown, over or its owner is gone. */
  ownerOf(key: PresentedKey): Promise<KeyOwner>;
  clock: Clock;
  /** Keyed by the whole key. */
  remembered: {
    get(key: string): AccessClaims | undefined;
    set(key: string, claims: AccessClaims, expiresAtMs: number): void;
  };
}

/** The claims of an API key, as those of an access token. Refuses with 401 whatever is wrong. */
export function createApiKeyVerifier({ ownerOf, clock, remembered }: ApiKeysOptions) {
  return async (token: string): Promise<AccessClaims> => {
    const presented = readApiKey(token);
    if (presented === undefined) throw tokenRefused("The API key is malformed");
    const known = remembered.get(token);
    if (known !== undefined) return known;
    // Before its owner is read: what ends them meanwhile then meets these claims.
    const issuedAtMs = clock.nowMs();
    const { userId, email, roles, scopes, expiresAt } = await ownerOf(presented);
    const { id } = presented;
    const endMs = expiresAt === null ? Infinity : Date.parse(expiresAt);
    const expiresAtMs = Math.min(endMs, issuedAtMs + rememberedMs);
    const claims: AccessClaims = Object.freeze({
      userId,
      email,
      roles: Object.freeze([...roles]),
      sessionId: id,
      tokenId: id,
      issuedAtMs,
      expiresAtMs,
      scopes: Object.freeze([...scopes]),
    });
    remembered.set(token, claims, expiresAtMs);
    return claims;
  };
}

function readApiKey(token: string): PresentedKey | undefined {
  const [, id, secret] = format.exec(token) ?? [];
  if (id === undefined || secret === undefined || decodeId("key", id) === undefined) return undefined;
  // A second spelling of the same bits would be a second key.
  if (Buffer.from(secret, "base64url").toString("base64url") !== secret) return undefined;
  return { id, secretHash: hashOf(secret) };
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
