// PUT and PATCH: what becomes of a row, applied once to judge the body and again under the row's lock.

import { canonicalJson } from "../base/index.ts";
import { type Caller, roleMissing } from "../auth/index.ts";
import { type AnyOperation, type Detail, notFound, refuse, restorersOf } from "../contract/index.ts";
import { holdsRole, mayRestore } from "./authorize.ts";
import { mergePatch } from "./merge-patch.ts";
import { type Expected, type IfMatch, preconditionRequired } from "./preconditions.ts";
import type { VersionedRoute } from "./routes.ts";
import { representationOf } from "./rows.ts";

export type Plain = Record<string, unknown>;

/** `current` is the row as it was when the request came. */
export interface ChangeRequest {
  caller: Caller;
  current: Plain | undefined;
  ifMatch: IfMatch;
}

export interface DecodedBody {
  body: unknown;
  /** The payload as it was sent, for the comparison of idempotent requests. */
  sent: unknown;
  expected: Expected;
  change: (current: Record<string, unknown>) => Record<string, unknown>;
  restores: boolean;
}

export function decodeChange(
  operation: AnyOperation,
  versioned: VersionedRoute,
  sent: unknown,
  { caller, current, ifMatch }: ChangeRequest,
): DecodedBody {
  const restores = isRestoration(operation, sent);
  if (isDeleted(current!) && !restores) throw notFound();
  // In a merge patch null takes a member away, so a null version is none.
  const version = (isObject(sent) ? sent.version : undefined) ?? undefined;
  if (operation.resource!.spec.precondition === "required" && ifMatch === undefined && version === undefined)
    throw preconditionRequired();
  const change = (row: Plain) =>
    operation.action === "replace"
      ? replaced(operation, versioned, row, sent, caller)
      : patched(operation, versioned, row, sent, caller);
  const body = change(current!);
  return { body, sent, expected: { ifMatch, body: version as number | undefined }, change, restores };
}

/** `deletedAt: null` in a patch of a row whose deletion can be taken back. */
function isRestoration({ action, resource }: AnyOperation, sent: unknown): boolean {
  return action === "update" && restorersOf(resource!) !== undefined && isObject(sent) && sent.deletedAt === null;
}

/** Only who may restore a row gets to see that it is deleted; for everybody else it is not there. */
export function isDeleted(row: Record<string, unknown>): boolean {
  return (row.deletedAt ?? null) !== null;
}

/** The writable properties after a PUT. What the caller may not write stays, unless the body would change it: 403. */
function replaced(
  operation: AnyOperation,
  { validateBody, shape }: VersionedRoute,
  row: Plain,
  sent: unknown,
  caller: Caller,
): Plain {
  const next = structuredClone(sent);
  refuse(validateBody!(next));
  const closed = closedTo(operation, caller);
  const named = shape!.up(sent as Plain);
  if (closed.some((name) => name in named && !isSame(named[name], row[name]))) throw roleMissing();
  return omit(shape!.up(next as Plain), ["version", ...closed]);
}

/** The writable properties after a PATCH, merged and validated in the shape that the client sees. */
function patched(
  operation: AnyOperation,
  { validateBody, shape, bodyProperties }: VersionedRoute,
  row: Plain,
  sent: unknown,
  caller: Caller,
): Plain {
  const restores = isRestoration(operation, sent);
  if (restores && !mayRestore(operation, caller)) throw roleMissing();
  const patch = restores ? omit(sent as Plain, ["deletedAt"]) : sent;
  const shown = shape!.down(representationOf(operation.resource!, row));
  const before = Object.fromEntries(
    [...bodyProperties].filter((name) => name !== "version").map((name) => [name, shown[name]]),
  );
  const unknown = isObject(patch) ? Object.entries(patch).filter(([name]) => !bodyProperties.has(name)) : [];
  const after = isObject(patch) ? { ...(mergePatch(before, patch) as Plain), ...Object.fromEntries(unknown) } : patch;
  refuse(validateBody!(after).map((detail) => ofDeletion(operation, detail)));
  const [older, newer] = [shape!.up(before), omit(shape!.up(after as Plain), ["version"])];
  const changed = new Set(Object.keys(newer).filter((name) => !isSame(newer[name], older[name])));
  if (closedTo(operation, caller).some((name) => changed.has(name))) throw roleMissing();
  // What the patch left alone is taken from the row: an older version may not show all of it.
  return Object.fromEntries(Object.keys(newer).map((name) => [name, changed.has(name) ? newer[name] : row[name]]));
}

/** Of a row that can be restored, `deletedAt` is not unknown; it only takes nothing but null. */
function ofDeletion({ resource }: AnyOperation, detail: Detail): Detail {
  const known = detail.field === "deletedAt" && restorersOf(resource!) !== undefined;
  return known ? { ...detail, message: "must be null" } : detail;
}

/** The properties that only a role may write, and the caller has not. */
function closedTo(operation: AnyOperation, caller: Caller): string[] {
  return Object.entries(operation.resource!.spec.writableBy ?? {}).flatMap(([name, access]) =>
    holdsRole(access!, caller) ? [] : [name],
  );
}

function omit(values: Plain, names: readonly string[]): Plain {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}

function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
