// Access and refresh tokens.
//
// Both carry a `jti` that is a TypeID over a UUIDv7, so the signed token says to the millisecond when
// it was issued, where `iat` only has seconds. Revocation depends on that (see revocations.ts), and
// a refresh token is a function of its user and its id alone: who lost the answer to a refresh is
// given the very same successor again, without the token being stored anywhere.
//
// The two never pass for each other: another `typ` and another audience.

import { decodeId, encodeId, uuidv7From, type Clock, type Random } from "../base/index.ts";
import { signJwt, verifyJwt, type Claims } from "./jwt.ts";
import { type Keys, longestTokenMs } from "./keys.ts";
import { tokenRefused } from "./refusals.ts";

/** What a verified access token says. */
export interface AccessClaims {
  readonly userId: string;
  readonly email: string;
  readonly roles: readonly string[];
  /** What it hangs on and ends with: a session, or the id of an API key. */
  readonly sessionId: string;
  readonly tokenId: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** Of an API key: all that it may do. Absent for a person, who may do what their roles allow. */
  readonly scopes?: readonly string[];
}

export interface RefreshClaims {
  readonly userId: string;
  readonly tokenId: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** A verified token as it is remembered, with the key it hangs on. */
export interface RememberedToken {
  readonly claims: AccessClaims;
  readonly kid: string;
}

/** Where verified tokens are kept under their full text; `createMemoryCache` of kernel/cache makes one. */
export interface TokenMemory {
  get(token: string): RememberedToken | undefined;
  set(token: string, value: RememberedToken, expiresAtMs: number): void;
}

export interface TokensOptions {
  keys: Keys;
  issuer: string;
  audience: string;
  clock: Clock;
  random: Random;
  accessTtlMs?: number;
  refreshTtlMs?: number;
  remembered: TokenMemory;
}

export interface AccessSubject extends Pick<AccessClaims, "userId" | "email" | "roles" | "sessionId"> {
  asOfMs?: number;
}

export interface Tokens {
  readonly accessTtlMs: number;
  readonly refreshTtlMs: number;
  /**
   * A new access token. `asOfMs` is when the facts in it were read, to be taken before the user is: a
   * revocation that falls between reading and signing then meets the token. Now, when left out.
   */
  signAccess(subject: AccessSubject): Promise<string>;
  /** The claims of a valid access token; refuses with 401 whatever is wrong. Whether the token was ended early, `Revocations` knows. */
  verifyAccess(token: string): Promise<AccessClaims>;
  /** The same at once for a token that was verified before, where nothing has to be waited for to know that it still is valid. */
  verifiedAccess(token: string): AccessClaims | undefined;
  /**
   * The refresh token of this id (`tok_...`, made when it is to be issued). Repeating gives the same bytes.
   * `expiresAtMs` shortens its life, for sessions with an absolute end; a repeat must name the same.
   */
  signRefresh(subject: { userId: string; tokenId: string; expiresAtMs?: number }): Promise<string>;
  /** The claims of a genuine refresh token; refuses with 401. Whether it was used already, only the database knows. */
  verifyRefresh(token: string): Promise<RefreshClaims>;
}

export function createTokens(options: TokensOptions): Tokens {
  const { keys, issuer, audience, clock, random, remembered } = options;
  const { accessTtlMs = 15 * 60_000, refreshTtlMs = longestTokenMs } = options;
  if (Math.max(accessTtlMs, refreshTtlMs) > longestTokenMs)
    throw new Error("A token may live 30 days at most: its key may be removed after that");
  const refreshAudience = `${audience}/auth/refresh`;

  return {
    accessTtlMs,
    refreshTtlMs,
    signAccess({ userId, email, roles, sessionId, asOfMs: issuedAtMs = clock.nowMs() }) {
      const tokenId = encodeId("tok", uuidv7From(issuedAtMs, random.bytes(10)));
      const iat = Math.floor(issuedAtMs / 1000);
      const exp = iat + Math.floor(accessTtlMs / 1000);
      const claims = {
        iss: issuer,
        aud: audience,
        sub: userId,
        email,
        roles: [...roles],
        sid: sessionId,
        jti: tokenId,
        iat,
        exp,
      };
      return signJwt(keys, "at+jwt", claims, issuedAtMs);
    },
    verifiedAccess(token) {
      const known = remembered.get(token);
      const isValid = known !== undefined && known.claims.expiresAtMs > clock.nowMs() && keys.isKnown(known.kid);
      return isValid ? known.claims : undefined;
    },
    async verifyAccess(token) {
      const known = remembered.get(token);
      const nowMs = clock.nowMs();
      if (
        known !== undefined &&
        known.claims.expiresAtMs > nowMs &&
        (await keys.verificationKey(known.kid)) !== undefined
      ) {
        return known.claims;
      }
      try {
        const { claims, kid } = await verifyJwt(keys, token, { typ: "at+jwt", issuer, audience, nowMs });
        const value = { claims: accessClaims(claims), kid };
        remembered.set(token, value, value.claims.expiresAtMs);
        return value.claims;
      } catch (cause) {
        throw tokenRefused(cause);
      }
    },
    async signRefresh({ userId, tokenId, expiresAtMs = Infinity }) {
      const issuedAtMs = issuedAtOf(tokenId);
      if (issuedAtMs === undefined)
        throw new Error('signRefresh takes a tokenId made with encodeId("tok", uuidv7(...))');
      const iat = Math.floor(issuedAtMs / 1000);
      const exp = Math.floor(Math.min(issuedAtMs + refreshTtlMs, expiresAtMs) / 1000);
      const claims = { iss: issuer, aud: refreshAudience, sub: userId, jti: tokenId, iat, exp };
      return signJwt(keys, "rt+jwt", claims, issuedAtMs);
    },
    async verifyRefresh(token) {
      try {
        const expected = { typ: "rt+jwt", issuer, audience: refreshAudience, nowMs: clock.nowMs() };
        const { claims } = await verifyJwt(keys, token, expected);
        return refreshClaims(claims);
      } catch (cause) {
        throw tokenRefused(cause);
      }
    },
  };
}

function accessClaims(claims: Claims): AccessClaims {
  const { email, roles, sid } = claims;
  if (typeof email !== "string") throw new Error("email is missing or not a string");
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === "string"))
    throw new Error("roles is missing or malformed");
  if (typeof sid !== "string" || decodeId("ses", sid) === undefined) throw new Error("sid is missing or malformed");
  return Object.freeze({ ...refreshClaims(claims), email, roles: Object.freeze([...roles]), sessionId: sid });
}

function refreshClaims({ sub, jti, iat, exp }: Claims): RefreshClaims {
  if (typeof sub !== "string" || decodeId("usr", sub) === undefined) throw new Error("sub is missing or malformed");
  const issuedAtMs = typeof jti === "string" ? issuedAtOf(jti) : undefined;
  if (issuedAtMs === undefined || Math.floor(issuedAtMs / 1000) !== iat)
    throw new Error("jti is missing, malformed or of another time than iat");
  return { userId: sub, tokenId: jti as string, issuedAtMs, expiresAtMs: exp * 1000 };
}

/** The millisecond that a token id was made, from its UUIDv7; undefined when it is no token id. */
function issuedAtOf(tokenId: string): number | undefined {
  const uuid = decodeId("tok", tokenId);
  if (uuid === undefined || uuid[14] !== "7") return undefined;
  return parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}
