// The headers that tell a client where it stands, all from the same decisions: the customary
// `X-RateLimit-*`, and `RateLimit-Policy` and `RateLimit` of the IETF draft (httpapi-ratelimit-headers).

import type { Decision } from "./bucket.ts";

export interface NamedDecision {
  /** The rate class. */
  name: string;
  decision: Decision;
}

/**
 * The headers of an answer that passed, or failed to pass, these limits; none for none. Where there are
 * several, `X-RateLimit-*` and `Retry-After` speak of the one that binds. Moments and durations are by the clock that
 * counted, so that a process whose own clock is wrong tells the same as the others.
 */
export function limitHeaders(decisions: readonly NamedDecision[]): Record<string, string> {
  const [first, ...others] = decisions;
  const binding =
    others.length === 0 ? first?.decision : decisions.map(({ decision }) => decision).toSorted(bindingFirst)[0];
  if (binding === undefined) return {};
  return {
    "x-ratelimit-limit": String(binding.limit),
    "x-ratelimit-remaining": String(binding.remaining),
    "x-ratelimit-reset": String(Math.ceil(binding.resetAtMs / 1000)),
    "ratelimit-policy": decisions
      .map(({ name, decision }) => `"${name}";q=${decision.limit};w=${Math.ceil(decision.windowMs / 1000)}`)
      .join(", "),
    ratelimit: decisions
      .map(
        ({ name, decision }) =>
          `"${name}";r=${decision.remaining};t=${Math.ceil((decision.resetAtMs - decision.atMs) / 1000)}`,
      )
      .join(", "),
    // Rounded up: a client that waits this long is let through.
    ...(binding.allowed ? {} : { "retry-after": String(Math.ceil(binding.retryAfterMs / 1000)) }),
  };
}

function bindingFirst(a: Decision, b: Decision): number {
  return b.retryAfterMs - a.retryAfterMs || a.remaining - b.remaining;
}
