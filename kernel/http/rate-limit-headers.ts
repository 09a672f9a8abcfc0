// Rate limit fields: the X-RateLimit-* everybody reads, and the IETF ones
// (draft-ietf-httpapi-ratelimit-headers, structured fields of RFC 9651) from the same numbers.

export interface RateLimitState {
  /** The name of the class, as configured. */
  policy: string;
  limit: number;
  windowSeconds: number;
  remaining: number;
  /** When the bucket is full again: as epoch seconds, and from now. */
  resetEpochSeconds: number;
  resetAfterSeconds: number;
}

/** Rounded so that a client that believes them never comes too early. */
export function rateLimitHeaders(state: RateLimitState): Record<string, string> {
  const limit = integer(Math.floor(state.limit));
  const remaining = integer(Math.floor(state.remaining));
  const name = sfString(state.policy);
  return {
    "x-ratelimit-limit": limit,
    "x-ratelimit-remaining": remaining,
    "x-ratelimit-reset": integer(Math.ceil(state.resetEpochSeconds)),
    "ratelimit-policy": `${name};q=${limit};w=${integer(Math.ceil(state.windowSeconds))}`,
    ratelimit: `${name};r=${remaining};t=${integer(Math.ceil(state.resetAfterSeconds))}`,
  };
}

const integerMax = 999_999_999_999_999;

/** Structured-field integers have 15 digits; a quota below zero means none is left. */
function integer(value: number): string {
  return String(Math.min(integerMax, Math.max(0, value)));
}

function sfString(text: string): string {
  if (!/^[ -~]*$/.test(text)) throw new Error(`The name of a rate class must be printable ASCII, not ${JSON.stringify(text)}`);
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
