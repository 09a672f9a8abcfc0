// What OpenAPI has no words for and a comparison of two documents must know.

import type { Access, Grant } from "../access.ts";
import type { ApiVersion } from "../version.ts";

/** Who may: `security` cannot say "the owner", nor which role. */
export const accessKey = "x-access";
/** When a deprecated version is switched off. */
export const sunsetKey = "x-sunset";

export function extensionsOf(access: Access, { sunsetAt }: ApiVersion): Record<string, unknown> {
  return {
    ...(sunsetAt === undefined ? {} : { [sunsetKey]: sunsetAt }),
    [accessKey]: access.filter((grant) => grant !== "service").map(named),
  };
}

function named(grant: Grant): string {
  if (typeof grant === "string") return grant;
  return "role" in grant ? `role:${grant.role}` : `self:${grant.self}`;
}
