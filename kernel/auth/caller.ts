import { credentialsMissing, tokenRefused } from "./refusals.ts";
import type { AccessClaims } from "./tokens.ts";

/** Who is asking. */
export type Caller =
  | { kind: "nobody"; address: string }
  | {
      kind: "user";
      userId: string;
      email: string;
      roles: readonly string[];
      /** A session, or the id of the API key by which a machine acts for the user. */
      sessionId: string;
      /** Only for a machine: all that its key may do. */
      scopes?: readonly string[];
      address: string;
    }
  | { kind: "service"; name: string };

export function userOf(claims: AccessClaims, address: string): Caller {
  const { userId, email, roles, sessionId, scopes } = claims;
  return { kind: "user", userId, email, roles, sessionId, address, ...(scopes && { scopes }) };
}

// RFC 6750: the characters of a token68. What is in it, verifyAccess decides.
const bearer = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * The token of an Authorization header, undefined when there is none. Refuses with 401 what is
 * there and not a bearer token, and a header that came twice: two readers could pick different ones.
 * Pass the values apart (`request.headersDistinct.authorization`): Node's `headers` drops the second.
 */
export function bearerToken(authorization: string | readonly string[] | undefined): string | undefined {
  const values = typeof authorization === "string" ? [authorization] : (authorization ?? []);
  const [value] = values;
  if (value === undefined) return undefined;
  if (values.length > 1) throw tokenRefused("Authorization was sent more than once");
  const token = bearer.exec(value)?.[1];
  if (token !== undefined) return token;
  if (/^bearer\b/i.test(value)) throw tokenRefused("The Authorization header is malformed");
  throw credentialsMissing();
}
