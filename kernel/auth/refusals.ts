// The refusals of this folder, with the challenge that RFC 6750 asks for. None says why: a caller
// learns that a token is not accepted, the log learns the cause.

import { errors, Failure } from "../contract/index.ts";

const realm = 'Bearer realm="ashlar"';

/** 401 for a request that brought no credentials. */
export function credentialsMissing(): Failure {
  return new Failure(errors.unauthenticated, "Credentials are required", { headers: { "www-authenticate": realm } });
}

/** 401 for a token that is malformed, forged, expired or ended. The cause goes to the log only. */
export function tokenRefused(cause: unknown): Failure {
  const headers = { "www-authenticate": `${realm}, error="invalid_token"` };
  return new Failure(errors.unauthenticated, "The token is not valid", { headers, cause });
}

/** 403 for an API key that does not cover this; undefined where none can. */
export function scopeMissing(scope: string | undefined): Failure {
  const named = scope === undefined ? "" : `, scope="${scope}"`;
  const headers = { "www-authenticate": `${realm}, error="insufficient_scope"${named}` };
  const message = scope === undefined ? "This is not for API keys" : `The API key lacks the scope ${scope}`;
  return new Failure(errors.forbidden, message, { headers });
}

/** 403 for a caller who is known and lacks the role. */
export function roleMissing(): Failure {
  const headers = { "www-authenticate": `${realm}, error="insufficient_scope"` };
  return new Failure(errors.forbidden, "You are not allowed to do this", { headers });
}
