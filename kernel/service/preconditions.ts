// Conditional requests: If-Match before a write, If-None-Match after a read, `version` in a body.
//
// The tag of a single resource is its version, with a suffix for every representation but the plain
// one: `"3"`, `"3.v2"`, `"3.v1.k2f9"`. If-Match compares the version in the tag, since it is the row
// that must not have changed, whichever representation the client saw of it.

import { errors, Failure } from "../contract/index.ts";
import { parseEntityTags } from "../http/index.ts";

/** The versions that an If-Match header names. */
export type IfMatch = readonly number[] | "*" | undefined;

/** The version a writer saw, and how it said so: a header that fails is 412, a body 409. */
export interface Expected {
  readonly ifMatch: IfMatch;
  readonly body?: number | undefined;
}

export function readIfMatch(header: string | undefined): IfMatch {
  if (header === undefined) return undefined;
  const tags = parseEntityTags(header);
  if (tags === "*") return "*";
  // Strong comparison: a weak tag never matches.
  return tags.flatMap(({ weak, tag }) => (weak ? [] : versionIn(tag)));
}

function versionIn(tag: string): number[] {
  const match = /^"?([1-9]\d{0,9})(\.[\w.-]+)?"?$/.exec(tag);
  return match === null ? [] : [Number(match[1])];
}

/** Throws 412 or 409 when the row's version is not one the writer saw. */
export function checkExpected({ ifMatch, body }: Expected, version: number): void {
  if (ifMatch !== undefined && ifMatch !== "*" && !ifMatch.includes(version)) {
    throw new Failure(errors.preconditionFailed, "The resource has changed since the version in If-Match");
  }
  if (body === undefined || body === version) return;
  throw new Failure(errors.versionConflict, "The resource has changed since this version", {
    details: [{ field: "version", message: `is not the current version, which is ${version}` }],
  });
}

export function preconditionRequired(): Failure {
  return new Failure(
    errors.preconditionRequired,
    "Say which version you saw: send If-Match with the ETag, or version in the body",
    {
      details: [{ field: "If-Match", message: "is required, or version in the body" }],
    },
  );
}
