// The headers of answers in the OpenAPI document: what each says, and which answer has which.

import type { AnyOperation } from "../operation.ts";
import { isPage } from "../bodies.ts";
import type { ApiVersion } from "../version.ts";

const line = { type: "string", maxLength: 8192, pattern: "^[\\x20-\\x7e]*$" };
const count = { type: "integer", format: "int64", minimum: 0, maximum: 999_999_999_999_999 };

const headers = {
  "Access-Control-Allow-Origin": {
    ...line,
    description: "The origin of the page that asked, when it is on the list of allowed ones",
  },
  "Access-Control-Allow-Credentials": {
    type: "string",
    enum: ["true"],
    description: "To an allowed origin, where pages may send credentials",
  },
  "Access-Control-Expose-Headers": { ...line, description: "To an allowed origin: what its page may read" },
  "API-Version": { ...count, description: "The version of the API that answered", minimum: 1, maximum: 9999 },
  Accept: { ...line, description: "The media types a body may have; on 415" },
  "Accept-Encoding": { ...line, description: "`identity` when the body was compressed, which is not taken; on 415" },
  "Accept-Patch": { ...line, description: "The media types a PATCH may have; on PATCH" },
  Allow: { ...line, description: "The methods this address has; on 405" },
  "Cache-Control": { ...line, description: "Who may keep the answer; `no-store` on refusals and credentials" },
  Deprecation: {
    ...line,
    description: "Since when this version is deprecated, as `@` and epoch seconds (RFC 9745)",
    pattern: "^@\\d+$",
  },
  ETag: { ...line, description: "A strong tag of exactly this representation", pattern: '^"[^"]+"$' },
  "Idempotent-Replayed": {
    type: "string",
    enum: ["true"],
    description: "Present when the answer is that of an earlier request with the same Idempotency-Key",
  },
  Link: {
    ...line,
    description: "Where to go from here (RFC 8288): other pages of a list, the successor of a deprecated version",
  },
  Location: { ...line, description: "The address of what was created, in the same version", format: "uri-reference" },
  // As sent: `RateLimit`. Linters that know two families of limit headers accept one of them only, by case.
  Ratelimit: { ...line, description: "What is left of the limit and when it is full again (IETF draft)" },
  "RateLimit-Policy": { ...line, description: "The limit and its window (IETF draft)" },
  "Retry-After": { ...count, description: "After how many seconds to come back" },
  Sunset: { ...line, description: "When this version is switched off (RFC 8594)" },
  Vary: { ...line, description: "The request headers the answer depends on" },
  "WWW-Authenticate": { ...line, description: "How to authenticate (RFC 6750)" },
  "X-RateLimit-Limit": { ...count, description: "How many requests the bucket holds" },
  "X-RateLimit-Remaining": { ...count, description: "How many are left" },
  "X-RateLimit-Reset": { ...count, description: "When the bucket is full again, in epoch seconds" },
  "X-Request-Id": {
    type: "string",
    maxLength: 128,
    pattern: "^[A-Za-z0-9._-]+$",
    description: "The name of the request, also in the log",
  },
};

export type HeaderName = keyof typeof headers;

export const rateLimitHeaderNames = [
  "X-RateLimit-Limit",
  "X-RateLimit-Remaining",
  "X-RateLimit-Reset",
  "RateLimit-Policy",
  "Ratelimit",
] as const satisfies HeaderName[];
/** On every answer, even where nothing was understood. */
export const commonHeaders = [
  "X-Request-Id",
  "Cache-Control",
  "Vary",
  "Access-Control-Allow-Origin",
  "Access-Control-Allow-Credentials",
  "Access-Control-Expose-Headers",
] as const satisfies HeaderName[];
const negotiated = [...commonHeaders, "API-Version", ...rateLimitHeaderNames] as const satisfies HeaderName[];

/** What a success carries. */
export function successHeaders(operation: AnyOperation, version: ApiVersion): HeaderName[] {
  const { method, status, resource, action, returns, idempotent } = operation;
  const answersPage = isPage(returns);
  const one = resource !== undefined && action !== "bulk";
  const tagged = returns !== undefined && (method === "GET" || one);
  const names: (HeaderName | false)[] = [
    ...negotiated,
    tagged && "ETag",
    status === 201 && one && "Location",
    answersPage && "Link",
    idempotent && "Idempotent-Replayed",
    ...versionHeaders(version),
  ];
  return distinct(names.filter((name) => name !== false));
}

/** What every answer of a version says once it is known that it will end. */
function versionHeaders({ deprecatedAt, sunsetAt }: ApiVersion): HeaderName[] {
  return [
    ...(deprecatedAt === undefined ? [] : (["Deprecation", "Link"] as const)),
    ...(sunsetAt === undefined ? [] : (["Sunset"] as const)),
  ];
}

function distinct(names: readonly HeaderName[]): HeaderName[] {
  return [...new Set(names)];
}

const ofStatus: Readonly<Record<number, readonly HeaderName[]>> = {
  401: ["WWW-Authenticate"],
  403: ["WWW-Authenticate"],
  409: ["Retry-After"],
  415: ["Accept", "Accept-Encoding", "Accept-Patch"],
  429: ["Retry-After"],
  503: ["Retry-After"],
};

/** What a refusal carries. */
export function refusalHeaders(status: number, version?: ApiVersion): readonly HeaderName[] {
  return [...negotiated, ...(ofStatus[status] ?? []), ...(version === undefined ? [] : versionHeaders(version))];
}

/** A header as `components` describes it. */
export function describeHeader(name: HeaderName): { description: string; schema: object } {
  const { description, ...schema } = headers[name];
  return { description, schema };
}
