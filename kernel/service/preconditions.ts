// Conditional requests: If-Match before a write, If-None-Match after a read, `version` in a body.
//
// The tag of a single resource is its version, with a suffix for every representation but the plain
// one: `"3"`, `"3.v2"`, `"3.v1.k2f9"`. If-Match compares the version in the tag, since it is the row
// that must not have changed, whichever representation the client saw of it.

import { errors, Failure } from "../contract/index.ts";
import { parseEntityTags } from "../http/index.ts";

/** The version a writer saw, and how it said so; decides between 412 and 409. */
export type Expected = { from: "header"; versions: readonly number[] | "*" } | { from: "body"; versions: readonly number[] } | undefined;

export function readIfMatch(header: string | undefined): Expected {
  if (header === undefined) return undefined;
  const tags = parseEntityTags(header);
  if (tags === "*") return { from: "header", versions: "*" };
  // Strong comparison: a weak tag never matches.
  return { from: "header", versions: tags.flatMap(({ weak, tag }) => (weak ? [] : versionIn(tag))) };
}

function versionIn(tag: string): number[] {
  const match = /^"?([1-9]\d{0,9})(\.[\w.-]+)?"?$/.exec(tag);
  return match === null ? [] : [Number(match[1])];
}

/** Throws 412 or 409 when the row's version is not one the writer saw. */
export function checkExpected(expected: Expected, version: number): void {
  if (expected === undefined || expected.versions === "*" || expected.versions.includes(version)) return;
  if (expected.from === "header") throw new Failure(errors.preconditionFailed, "The resource has changed since the version in If-Match");
  throw new Failure(errors.versionConflict, "The resource has changed since this version", {
    details: [{ field: "version", message: `is not the current version, which is ${version}` }],
  });
}

export function preconditionRequired(): Failure {
  return new Failure(errors.preconditionRequired, "Say which version you saw: send If-Match with the ETag, or version in the body", {
    details: [{ field: "If-Match", message: "is required, or version in the body" }],
  });
}
