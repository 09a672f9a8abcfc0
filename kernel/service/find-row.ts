// The row that a request is about, within what its caller may reach.

import type { Caller } from "../auth/index.ts";
import { notFound } from "../contract/index.ts";
import { mayRestore, type Reach } from "./authorize.ts";
import type { Route } from "./routes.ts";
import { scopeOfPath } from "./rows.ts";

/** The rows a caller may reach, as equalities: those of the address and, for owners, their own. */
export function scopeOf(
  { operation }: Route,
  params: Record<string, string>,
  caller: Caller,
  reach: Reach,
): Record<string, unknown> {
  if (operation.resource === undefined) return {};
  const scope = scopeOfPath(operation.resource, params);
  if (reach === "all" || caller.kind !== "user") return scope;
  const owner = String(operation.resource.spec.owner);
  // At the address of somebody else there is nothing to own.
  if (owner in scope && scope[owner] !== caller.userId) throw notFound();
  return { ...scope, [owner]: caller.userId };
}

/**
 * Writes on an item look for it first: 404 comes before every complaint about the request itself. A deleted row is
 * found for who may restore it: whether the PATCH does is known when its body was read.
 */
export function findCurrent(
  route: Route,
  params: Record<string, string>,
  scope: Record<string, unknown>,
  caller: Caller,
) {
  const { action } = route.operation;
  if (action !== "replace" && action !== "update" && action !== "remove") return undefined;
  return findRow(route, params, scope, action === "update" && mayRestore(route.operation, caller));
}

export async function findRow(
  { operation, service }: Route,
  params: Record<string, string>,
  scope: Record<string, unknown>,
  includeDeleted: boolean,
) {
  const row = await service.parts.tables
    .get(operation.resource!.name)!
    .get(service.parts.database, params.id!, { scope, includeDeleted });
  if (row === undefined) throw notFound();
  return row;
}
