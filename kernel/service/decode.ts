// From a request to what a handler takes: parameters, query, body, the version the client saw.

import type { IncomingMessage } from "node:http";
import { canonicalJson, decodeId } from "../base/index.ts";
import { type Caller, roleMissing } from "../auth/index.ts";
import {
  type AnyOperation,
  type Detail,
  type Fields,
  invalid,
  kindOf,
  notFound,
  readItemQuery,
  readListQuery,
  readValue,
  restorersOf,
  schemaOf,
} from "../contract/index.ts";
import { type Query, readJson } from "../http/index.ts";
import { authorizeDeleted, holdsRole, mayRestore } from "./authorize.ts";
import { mergePatch } from "./merge-patch.ts";
import { type Expected, type IfMatch, preconditionRequired } from "./preconditions.ts";
import type { Route, VersionedRoute } from "./routes.ts";
import { representationOf } from "./rows.ts";

/** An id that is malformed or carries a foreign prefix names nothing: 404. */
export function checkParams(operation: AnyOperation, params: Record<string, string>): void {
  for (const [name, schema] of Object.entries(operation.params as Fields)) {
    const prefix = schemaOf(schema)["x-id-prefix"];
    if (prefix !== undefined && decodeId(prefix, params[name]!) === undefined) throw notFound();
  }
}

export interface DecodedQuery {
  query: Record<string, unknown>;
  list: ReturnType<typeof readListQuery>["list"] | undefined;
  fields: readonly string[] | undefined;
  includeDeleted: boolean;
}

/** `findRow` throws 404: a read finds its row in the handler, but no complaint about the query may come first. */
export async function decodeQuery(
  route: Route,
  versioned: VersionedRoute,
  query: Query,
  caller: Caller,
  findRow: (includeDeleted: boolean) => Promise<unknown>,
): Promise<DecodedQuery> {
  const { operation, isList } = route;
  if (isList) {
    const { list, details } = readListQuery(versioned.grammar!, query);
    if (list.includeDeleted) authorizeDeleted(operation, caller);
    refuse(details);
    return { query: {}, list, fields: list.fields, includeDeleted: list.includeDeleted };
  }
  if (versioned.grammar !== undefined && operation.method === "GET") {
    const { fields, includeDeleted, details } = readItemQuery(versioned.grammar, query);
    if (includeDeleted) authorizeDeleted(operation, caller);
    if (operation.action === "get" && details.length > 0) await findRow(includeDeleted);
    refuse(details);
    return { query: {}, list: undefined, fields, includeDeleted };
  }
  return { query: readDeclared(route, query), list: undefined, fields: undefined, includeDeleted: false };
}

/** The parameters that the operation declares, read as their types are written and validated like a body. */
function readDeclared({ validateQuery, operation }: Route, query: Query): Record<string, unknown> {
  const fields = operation.query as Fields;
  const details: Detail[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, sent] of query) {
    if (name === "version") continue;
    const schema = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const value = schema && readValue(kindOf(schema), sent[0]!);
    if (schema === undefined) details.push({ field: name, message: "is not a known parameter" });
    else if (sent.length > 1) details.push({ field: name, message: "may be given only once" });
    else if (value === undefined) details.push({ field: name, message: "must be a value of the right form" });
    else values[name] = value;
  }
  const named = new Set(details.map(({ field }) => field));
  refuse([...details, ...validateQuery(values).filter(({ field }) => !named.has(field))]);
  return values;
}

export interface DecodedBody {
  body: unknown;
  /** The payload as it was sent, for the comparison of idempotent requests. */
  sent: unknown;
  expected: Expected;
  change: (current: Record<string, unknown>) => Record<string, unknown>;
  restores: boolean;
}

type Plain = Record<string, unknown>;

interface BodyRequest {
  message: IncomingMessage;
  maxBytes: number;
  caller: Caller;
  current: Plain | undefined;
  ifMatch: IfMatch;
}

const jsonTypes = ["application/json"];
const patchTypes = ["application/json", "application/merge-patch+json"];

/**
 * Reads and validates the body. `current` is the row as it was when the request came, against which
 * a merge patch is validated here and applied again under the lock.
 */
export async function decodeBody(
  { operation }: Route,
  versioned: VersionedRoute,
  request: BodyRequest,
): Promise<DecodedBody> {
  const nothing = {
    body: undefined,
    sent: undefined,
    expected: { ifMatch: request.ifMatch },
    change: () => ({}),
    restores: false,
  };
  if (versioned.validateBody === undefined) return nothing;
  const sent = await readJson(request.message, {
    mediaTypes: operation.action === "update" ? patchTypes : jsonTypes,
    maxBytes: request.maxBytes,
  });
  if (operation.action !== "update" && operation.action !== "replace") {
    const body = structuredClone(sent);
    refuse(versioned.validateBody(body));
    return { ...nothing, sent, body: inNewestShape(operation, versioned, body) };
  }
  return decodeChange(operation, versioned, sent, request);
}

function inNewestShape({ action }: AnyOperation, { shape }: VersionedRoute, body: unknown): unknown {
  if (action === "create") return shape!.up(body as Plain);
  return action === "bulk" ? { items: (body as { items: Plain[] }).items.map(shape!.up) } : body;
}

function decodeChange(
  operation: AnyOperation,
  versioned: VersionedRoute,
  sent: unknown,
  { caller, current, ifMatch }: BodyRequest,
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
  refuse(validateBody!(after));
  const [older, newer] = [shape!.up(before), omit(shape!.up(after as Plain), ["version"])];
  const changed = new Set(Object.keys(newer).filter((name) => !isSame(newer[name], older[name])));
  if (closedTo(operation, caller).some((name) => changed.has(name))) throw roleMissing();
  // What the patch left alone is taken from the row: an older version may not show all of it.
  return Object.fromEntries(Object.keys(newer).map((name) => [name, changed.has(name) ? newer[name] : row[name]]));
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

function refuse(details: readonly Detail[]): void {
  if (details.length > 0) throw invalid(details);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
