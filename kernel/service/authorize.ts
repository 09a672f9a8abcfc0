// Who may: evaluates the grants of an operation for a caller, before anything is read.

import { type Caller, credentialsMissing, roleMissing, scopeMissing } from "../auth/index.ts";
import {
  type AnyOperation,
  notFound,
  type Access,
  type Grant,
  type Named,
  restorersOf,
  neededScope,
} from "../contract/index.ts";

/** `all`: any row. `own`: only rows whose owner is the caller. */
export type Reach = "all" | "own";

/**
 * Throws 401 without credentials, 403 when only a role is missing, and 404 when the operation is open
 * to others for *their* objects: who asks for somebody else's must not learn that it exists.
 * Replaces `me` in the parameters by the caller's id.
 */
export function authorize(access: Access, caller: Caller, params: Record<string, string>): Reach {
  if (caller.kind === "service") return "all";
  if (caller.kind === "user") {
    for (const grant of access) if (isSelf(grant) && params[grant.self] === "me") params[grant.self] = caller.userId;
  }
  if (access.includes("anyone")) return "all";
  if (caller.kind === "nobody") throw credentialsMissing();
  if (access.some((grant) => isHeld(grant, caller))) return "all";
  if (access.some((grant) => isSelf(grant) && params[grant.self] === caller.userId)) return "all";
  if (access.includes("owner")) return "own";
  if (access.some(isSelf)) throw notFound();
  throw roleMissing();
}

/** 403 for an API key whose scopes do not cover the operation. What anyone may do, needs none. */
export function authorizeScope(operation: Named<AnyOperation>, caller: Caller): void {
  if (caller.kind !== "user" || caller.scopes === undefined || operation.access.includes("anyone")) return;
  if (operation.personal) throw scopeMissing(undefined);
  const scope = neededScope(operation);
  if (!caller.scopes.includes(scope)) throw scopeMissing(scope);
}

/** Whether the caller has one of the roles that a rule names. */
export function holdsRole(access: Access, caller: Caller): boolean {
  return caller.kind === "service" || (caller.kind === "user" && access.some((grant) => isHeld(grant, caller)));
}

/** Whether the caller may see deleted rows of the operation's resource, and restore them. */
export function mayRestore({ resource }: AnyOperation, caller: Caller): boolean {
  const restorers = resource && restorersOf(resource);
  return restorers !== undefined && holdsRole(restorers, caller);
}

/** 401 or 403 for who asks for deleted rows and may not see them. */
export function authorizeDeleted(operation: AnyOperation, caller: Caller): void {
  if (mayRestore(operation, caller)) return;
  throw caller.kind === "nobody" ? credentialsMissing() : roleMissing();
}

function isSelf(grant: Grant): grant is Extract<Grant, { self: string }> {
  return typeof grant === "object" && "self" in grant;
}

function isHeld(grant: Grant, caller: { roles: readonly string[] }): boolean {
  return grant === "signedIn" || (typeof grant === "object" && "role" in grant && caller.roles.includes(grant.role));
}
