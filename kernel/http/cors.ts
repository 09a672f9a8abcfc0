// Cross-origin access by an allow-list of exact origins (Fetch standard, CORS protocol).
//
// An origin is echoed, never `*`, and every answer varies by Origin as soon as there is a list,
// also for origins not on it: a shared cache must not serve one origin's permission to another.

import type { IncomingMessage } from "node:http";

export interface CorsOptions {
  /** Exactly as browsers send them: `https://shop.example`, without a slash at the end. */
  origins: readonly string[];
  /** Lets browsers send cookies. Tokens in Authorization do not need it. */
  credentials?: boolean;
  preflightSeconds?: number;
}

export interface Cors {
  /** Headers for an ordinary answer. Merge `vary` with what else the answer varies by. */
  headers(request: IncomingMessage): Readonly<Record<string, string>>;
  /** Headers for the 204 to a preflight; undefined when the request is none. */
  preflight(request: IncomingMessage, allowedMethods: readonly string[]): Readonly<Record<string, string>> | undefined;
}

const exposed =
  "API-Version, Deprecation, ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, " +
  "Retry-After, Sunset, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id";

const allowedHeaders =
  "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, " +
  "traceparent, tracestate, X-Request-Id";

const none = {};

/** With an empty list nothing is allowed and nothing is sent. A wrong origin throws, at start. */
export function createCors({ origins, credentials = false, preflightSeconds = 600 }: CorsOptions): Cors {
  for (const origin of origins) checkOrigin(origin);
  if (origins.length === 0) return { headers: () => none, preflight: () => undefined };

  const permission = credentials ? { "access-control-allow-credentials": "true" } : none;
  const refused = { vary: "Origin" };
  const simple = new Map(
    origins.map((origin) => [
      origin,
      {
        "access-control-allow-origin": origin,
        ...permission,
        "access-control-expose-headers": exposed,
        vary: "Origin",
      },
    ]),
  );
  return {
    headers: ({ headers }) => simple.get(headers.origin ?? "") ?? refused,
    preflight({ method, headers: { origin = "", "access-control-request-method": requested } }, allowedMethods) {
      if (method !== "OPTIONS" || requested === undefined) return undefined;
      const vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
      if (!simple.has(origin)) return { vary };
      return {
        "access-control-allow-origin": origin,
        ...permission,
        "access-control-allow-methods": allowedMethods.join(", "),
        "access-control-allow-headers": allowedHeaders,
        "access-control-max-age": String(preflightSeconds),
        vary,
      };
    },
  };
}

function checkOrigin(origin: string): void {
  const parsed = URL.canParse(origin) ? new URL(origin) : undefined;
  if (parsed?.origin !== origin || !/^https?:$/.test(parsed.protocol)) {
    throw new Error(
      `"${origin}" is not an origin. Write it as browsers send it, such as https://shop.example; * is not supported.`,
    );
  }
}
