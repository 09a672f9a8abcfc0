// Header names and single-valued headers.

import type { IncomingMessage } from "node:http";
import { invalid, type Failure } from "../contract/index.ts";

/**
 * The value of a header that may appear once. Sent twice: 400, where node would keep the first
 * or join both, and a proxy in front might have read the other.
 */
export function singleHeader(request: IncomingMessage, name: Lowercase<string>): string | undefined {
  const value = request.headers[name];
  if (value === undefined) return undefined;
  if (countHeader(request.rawHeaders, name) > 1) throw invalidHeader(name, "may be sent only once");
  return typeof value === "string" ? value : value[0];
}

/** How many lines a header has; `rawHeaders` as node gives them. */
export function countHeader(rawHeaders: readonly string[], name: Lowercase<string>): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const raw = rawHeaders[index]!;
    if (raw.length === name.length && raw.toLowerCase() === name) count++;
  }
  return count;
}

/** 400 that names a header as it is written in the documentation. */
export function invalidHeader(name: Lowercase<string>, message: string): Failure {
  return invalid([{ field: headerName(name), message }], `The header ${headerName(name)} is not valid`);
}

const irregular: Readonly<Record<string, string>> = {
  "api-version": "API-Version",
  etag: "ETag",
  ratelimit: "RateLimit",
  "ratelimit-policy": "RateLimit-Policy",
  "www-authenticate": "WWW-Authenticate",
  "x-ratelimit-limit": "X-RateLimit-Limit",
  "x-ratelimit-remaining": "X-RateLimit-Remaining",
  "x-ratelimit-reset": "X-RateLimit-Reset",
};

const written = new Map(Object.entries(irregular));
const writtenMax = 500;

/** A header name as people write it: `etag` becomes `ETag`. Answers hold names in lower case. */
export function headerName(name: string): string {
  const known = written.get(name);
  if (known !== undefined) return known;
  const made = name.replaceAll(/(?<![a-z0-9])[a-z]/g, (letter) => letter.toUpperCase());
  if (written.size < writtenMax) written.set(name, made);
  return made;
}
