// What OpenAPI has no words for and a comparison of two documents must know.

import { type Grant, neededScope } from "../access.ts";
import type { AnyOperation, Named } from "../operation.ts";
import type { ApiVersion } from "../version.ts";

/** Who may: `security` cannot say "the owner", nor which role. */
export const accessKey = "x-access";
/** The scope an API key needs; without it, API keys are refused. */
export const scopeKey = "x-scope";
/** When a deprecated version is switched off. */
export const sunsetKey = "x-sunset";

export function extensionsOf(operation: Named<AnyOperation>, { sunsetAt }: ApiVersion): Record<string, unknown> {
  const { access, personal } = operation;
  return {
    ...(sunsetAt === undefined ? {} : { [sunsetKey]: sunsetAt }),
    [accessKey]: access.filter((grant) => grant !== "service").map(named),
    ...(personal || access.includes("anyone") ? {} : { [scopeKey]: neededScope(operation) }),
  };
}

function named(grant: Grant): string {
  if (typeof grant === "string") return grant;
  return "role" in grant ? `role:${grant.role}` : `self:${grant.self}`;
}
