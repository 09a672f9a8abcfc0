// Entity tags (RFC 9110, 8.8.3 and 13.1): reading lists of them, comparing, making.
//
// A compressed answer is another representation and needs another strong tag. Its tag is the
// plain one with the coding as a suffix (`"3"`, `"3.br"`), so that the row's version can be read
// back from any tag we ever sent.

import { hash } from "node:crypto";
import type { Encoding } from "./encoding.ts";
import { invalidHeader } from "./headers.ts";

export interface EntityTag {
  weak: boolean;
  /** Without the quotes. */
  tag: string;
}

const entityTag = /(W\/)?"([!#-~\x80-\xff]*)"/y;
const separators = /[ \t,]*/y;
const endOfTag = /[ \t]*(?:,|$)/y;

/** Reads If-Match or If-None-Match. Throws 400 for anything but `*` or a list of quoted tags. */
export function parseEntityTags(header: string, name: "if-match" | "if-none-match" = "if-match"): "*" | EntityTag[] {
  if (header.trim() === "*") return "*";
  const tags: EntityTag[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  for (take(separators); at < header.length; take(separators)) {
    const match = take(entityTag);
    if (match === null || take(endOfTag) === null) throw malformed(name);
    tags.push({ weak: match[1] !== undefined, tag: match[2]! });
  }
  if (tags.length === 0) throw malformed(name);
  return tags;
}

/** If-Match: a tag matches only when both are strong. `candidates` as in ETag; `*` matches any. */
export function matchesStrong(header: string, candidates: readonly string[]): boolean {
  const wanted = parseEntityTags(header, "if-match");
  if (wanted === "*") return candidates.length > 0;
  return wanted.some(({ weak, tag }) => !weak && candidates.includes(`"${tag}"`));
}

/** If-None-Match: weak and strong tags with the same text are equal. */
export function matchesWeak(header: string, candidates: readonly string[]): boolean {
  const wanted = parseEntityTags(header, "if-none-match");
  if (wanted === "*") return candidates.length > 0;
  return wanted.some(({ tag }) =>
    candidates.some((candidate) => candidate === `"${tag}"` || candidate === `W/"${tag}"`),
  );
}

/** A strong tag from the bytes themselves, for what has no version (lists). */
export function etagOf(body: string | Uint8Array): string {
  return `"${hash("sha256", body, "base64url").slice(0, 22)}"`;
}

/** The tag of an answer in a coding: `"3"` in br is `"3.br"`. A weak tag stays as it is. */
export function encodedTag(etag: string, encoding: Encoding): string {
  return encoding === "identity" || etag.startsWith("W/") ? etag : `${etag.slice(0, -1)}.${encoding}"`;
}

/** What a tag without quotes was before `encodedTag`: `3.br` becomes `3`. */
export function plainTag(tag: string): string {
  return tag.replace(/\.(?:br|gzip)$/, "");
}

function malformed(name: "if-match" | "if-none-match"): Error {
  return invalidHeader(name, 'must be * or a list of quoted entity tags, such as "3"');
}
