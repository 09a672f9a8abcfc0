// Signed tokens in the one form that this platform writes: JWS compact, EdDSA, a header of exactly
// `alg`, `typ` and `kid`.
//
// Reading follows RFC 8725: algorithm and key come from our configuration. The header may only
// choose among our own keys; a header that says anything else (jwk, jku, x5u, crit, b64, zip) was
// not written here and is refused before any key is touched. jose does the cryptography; the checks
// around it are ours because jose follows the specification where we want less: it takes the last of
// two duplicate claims, and base64url whose unused bits are set, so that two texts are one token.

import { compactVerify, SignJWT, type JWTPayload } from "jose";
import { parseJson } from "../base/index.ts";
import type { Keys } from "./keys.ts";

/** Longer tokens are not looked at. Ours have about 600 characters. */
export const maxTokenLength = 4096;
/** How far ahead the clock of the machine that issued a token may be. */
const leewaySeconds = 5;

export interface Claims {
  readonly [name: string]: unknown;
  /** Seconds since the epoch, safe integers. */
  readonly iat: number;
  readonly exp: number;
}

/** Signs with the key in force at `atMs`. The same claims at the same moment give the same bytes. */
export async function signJwt(keys: Keys, typ: string, claims: JWTPayload, atMs: number): Promise<string> {
  const { kid, privateKey } = await keys.signingKey(atMs);
  const token = await new SignJWT(claims).setProtectedHeader({ alg: "EdDSA", typ, kid }).sign(privateKey);
  if (token.length > maxTokenLength) {
    throw new Error(
      `A token would have ${token.length} characters; ${maxTokenLength} are allowed. Give the user fewer roles.`,
    );
  }
  return token;
}

export interface Expected {
  typ: string;
  issuer: string;
  audience: string;
  nowMs: number;
}

/** The claims of a genuine token of this type that is valid now, and its key; throws an Error that says what is wrong. */
export async function verifyJwt(
  keys: Keys,
  token: string,
  expected: Expected,
): Promise<{ claims: Claims; kid: string }> {
  if (token.length > maxTokenLength) throw new Error("The token is too long");
  const parts = token.split(".");
  if (parts.length !== 3) throw new Error("The token does not have three parts");
  const [header, payload] = parts.map((part) => decodePart(part)) as [Buffer, Buffer, Buffer];
  const kid = checkedKid(parseJson(header), expected.typ);
  const key = await keys.verificationKey(kid);
  if (key === undefined) throw new Error("No key of this system has this kid");
  await compactVerify(token, key, { algorithms: ["EdDSA"] });
  return { claims: checkedClaims(parseJson(payload), expected), kid };
}

function decodePart(part: string): Buffer {
  const bytes = Buffer.from(part, "base64url");
  if (part === "" || bytes.toString("base64url") !== part)
    throw new Error("A part of the token is not canonical base64url");
  return bytes;
}

function checkedKid(header: unknown, typ: string): string {
  if (!isObject(header)) throw new Error("The header is not an object");
  const names = Object.keys(header).toSorted().join();
  if (names !== "alg,kid,typ") throw new Error("The header has other parameters than alg, kid and typ");
  if (header.alg !== "EdDSA") throw new Error("The algorithm is not EdDSA");
  if (header.typ !== typ) throw new Error(`The type is not ${typ}`);
  if (typeof header.kid !== "string") throw new Error("The kid is not a string");
  return header.kid;
}

function checkedClaims(claims: unknown, { issuer, audience, nowMs }: Expected): Claims {
  if (!isObject(claims)) throw new Error("The claims are not an object");
  const { iss, aud, iat, exp, nbf } = claims;
  if (iss !== issuer) throw new Error("The issuer is another");
  // One audience as a string, because that is what is issued here; an array is refused even when it names us.
  if (aud !== audience) throw new Error("The audience is another");
  const nowSeconds = nowMs / 1000;
  if (!isSeconds(exp) || exp <= nowSeconds) throw new Error("exp is missing, malformed or past");
  if (!isSeconds(iat) || iat > nowSeconds + leewaySeconds || iat > exp)
    throw new Error("iat is missing, malformed or ahead");
  if (nbf !== undefined && (!isSeconds(nbf) || nbf > nowSeconds + leewaySeconds))
    throw new Error("nbf is malformed or ahead");
  return { ...claims, iat, exp };
}

function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
