// Reads a request target (RFC 9112, 3.2.1: origin-form only).
//
// `new URL` is not used: it repairs (dot segments, backslashes, hosts in the path), and what one
// hop repairs another reads as written. Here everything that two readers could understand
// differently is refused, and the rest is decoded exactly once.

import { errors, Failure, invalid, type Detail } from "../contract/index.ts";

/** Every value of every parameter, in the order sent. */
export type Query = ReadonlyMap<string, readonly string[]>;

export interface Target {
  /** The path with every segment percent-decoded once. No segment holds a slash. */
  path: string;
  /** The path as sent. Give this one to a router that decodes by itself. */
  rawPath: string;
  query: Query;
}

export const targetBytesMax = 8 * 1024;
export const parametersMax = 100;

const noParameters: Query = new Map();

/**
 * Reads the target of a request line. Anything ambiguous throws a `Failure`: 414 when too long,
 * 400 for the path, and 400 naming every wrong parameter for the query. A trailing slash is
 * kept: `/users/` is another path than `/users`.
 */
export function parseTarget(rawUrl: string): Target {
  if (rawUrl.length > targetBytesMax) {
    throw new Failure(errors.uriTooLong, `The request target is longer than ${targetBytesMax} bytes`);
  }
  if (!isVisibleAscii(rawUrl)) {
    throw refused("Characters outside visible ASCII must be percent-encoded in the request target");
  }
  const mark = rawUrl.indexOf("?");
  const rawPath = mark === -1 ? rawUrl : rawUrl.slice(0, mark);
  const path = decodePath(rawPath);
  return { path, rawPath, query: mark === -1 ? noParameters : parseQuery(rawUrl.slice(mark + 1)) };
}

function decodePath(rawPath: string): string {
  if (rawPath.charCodeAt(0) !== 0x2f) throw refused("The request target must begin with a slash");
  if (rawPath.includes("\\")) throw refused("A path may not contain a backslash");
  if (rawPath.includes("//")) throw refused("A path may not contain an empty segment");
  const path = rawPath.includes("%") ? decodeSegments(rawPath) : rawPath;
  if (path.includes("/.") && path.split("/").some((segment) => segment === "." || segment === "..")) {
    throw refused("A path may not contain dot segments");
  }
  return path;
}

function decodeSegments(rawPath: string): string {
  const path = decodeOnce(rawPath);
  if (path === undefined) throw refused("The path contains an invalid percent-encoding");
  if (hasControl(path)) throw refused("A path may not contain control characters");
  // More slashes or a backslash after decoding than before: somebody encoded one.
  if (path.includes("\\") || countSlashes(path) !== countSlashes(rawPath)) {
    throw refused("A path may not contain an encoded slash or backslash");
  }
  return path;
}

/** Reads what follows the `?`. `+` means a space; empty pieces (`a=1&&b=2`) are skipped. */
export function parseQuery(rawQuery: string): Query {
  if (rawQuery === "") return noParameters;
  const query = new Map<string, string[]>();
  const details: Detail[] = [];
  let count = 0;
  for (const piece of rawQuery.split("&")) {
    if (piece === "") continue;
    if (++count > parametersMax) throw refused(`A query may have at most ${parametersMax} parameters`);
    const equals = piece.indexOf("=");
    const rawName = equals === -1 ? piece : piece.slice(0, equals);
    const name = decodeParameter(rawName);
    const value = equals === -1 ? "" : decodeParameter(piece.slice(equals + 1));
    if (name === undefined || value === undefined) {
      details.push({ field: name ?? rawName, message: "is not valid percent-encoded UTF-8 or contains NUL" });
    } else {
      const values = query.get(name);
      if (values === undefined) query.set(name, [value]);
      else values.push(value);
    }
  }
  if (details.length > 0) throw invalid(details, "The query is not valid");
  return query;
}

function decodeParameter(raw: string): string | undefined {
  const text = decodeOnce(raw.includes("+") ? raw.replaceAll("+", " ") : raw);
  return text === undefined || text.includes("\u0000") ? undefined : text;
}

/** Undefined for a broken escape, and for bytes that are not UTF-8 (overlong, surrogates). */
function decodeOnce(raw: string): string | undefined {
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

function isVisibleAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code <= 0x20 || code >= 0x7f || code === 0x23) return false;
  }
  return true;
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  }
  return false;
}

function countSlashes(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) === 0x2f) count++;
  return count;
}

function refused(message: string): Failure {
  return new Failure(errors.badRequest, message);
}
