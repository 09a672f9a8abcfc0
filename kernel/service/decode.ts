// From a request to what a handler takes: parameters, query, body, the version the client saw.

import type { IncomingMessage } from "node:http";
import { decodeId } from "../base/index.ts";
import { type Caller, roleMissing } from "../auth/index.ts";
import { type AnyOperation, type Detail, errors, Failure, type Fields, invalid, isOptional, kindOf, notFound, readItemQuery, readListQuery, readValue, schemaOf, type TSchema } from "../contract/index.ts";
import { type Query, readJson } from "../http/index.ts";
import { holdsRole } from "./authorize.ts";
import { mergePatch } from "./merge-patch.ts";
import { type Expected, preconditionRequired } from "./preconditions.ts";
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
}

export function decodeQuery({ operation, isList }: Route, versioned: VersionedRoute, query: Query): DecodedQuery {
  if (isList) {
    const { list, details } = readListQuery(versioned.grammar!, query);
    refuse(details);
    refuseDeleted(list.includeDeleted);
    return { query: {}, list, fields: list.fields };
  }
  if (versioned.grammar !== undefined && operation.method === "GET") {
    const { fields, includeDeleted, details } = readItemQuery(versioned.grammar, query);
    refuse(details);
    refuseDeleted(includeDeleted);
    return { query: {}, list: undefined, fields };
  }
  return { query: readDeclared(operation.query as Fields, query), list: undefined, fields: undefined };
}

function refuseDeleted(includeDeleted: boolean): void {
  if (includeDeleted) throw new Failure(errors.notImplemented, "Reading deleted rows is not built yet");
}

function readDeclared(fields: Fields, query: Query): Record<string, unknown> {
  const details: Detail[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, sent] of query) {
    if (name === "version") continue;
    const schema = fields[name];
    const value = schema && readValue(kindOf(schema), sent[0]!);
    if (schema === undefined) details.push({ field: name, message: "is not a known parameter" });
    else if (sent.length > 1) details.push({ field: name, message: "may be given only once" });
    else if (value === undefined) details.push({ field: name, message: "must be a value of the right form" });
    else values[name] = value;
  }
  for (const [name, schema] of Object.entries(fields)) {
    if (!(name in values) && !isOptional(schema as TSchema) && !query.has(name)) details.push({ field: name, message: "is required" });
  }
  refuse(details);
  return values;
}

export interface DecodedBody {
  body: unknown;
  /** The payload as it was sent, for the comparison of idempotent requests. */
  sent: unknown;
  expected: Expected;
  change: (current: Record<string, unknown>) => Record<string, unknown>;
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
  request: { message: IncomingMessage; maxBytes: number; caller: Caller; current: Record<string, unknown> | undefined; ifMatch: Expected },
): Promise<DecodedBody> {
  const nothing = { body: undefined, sent: undefined, expected: request.ifMatch, change: () => ({}) };
  if (versioned.validateBody === undefined) return nothing;
  const sent = await readJson(request.message, { mediaTypes: operation.action === "update" ? patchTypes : jsonTypes, maxBytes: request.maxBytes });
  if (operation.action !== "update" && operation.action !== "replace") {
    const body = structuredClone(sent);
    refuse(versioned.validateBody(body));
    return { ...nothing, sent, body: operation.action === "create" ? versioned.shape!.up(body as Record<string, unknown>) : body };
  }
  return decodeChange(operation, versioned, sent, request);
}

function decodeChange(
  operation: AnyOperation,
  versioned: VersionedRoute,
  sent: unknown,
  { caller, current, ifMatch }: { caller: Caller; current: Record<string, unknown> | undefined; ifMatch: Expected },
): DecodedBody {
  const { spec } = operation.resource!;
  const version = isObject(sent) ? sent.version : undefined;
  if (spec.precondition === "required" && ifMatch === undefined && version === undefined) throw preconditionRequired();
  if (isObject(sent)) refuseRestricted(operation, versioned, sent, caller, current!);
  const change = (row: Record<string, unknown>) => {
    const next = operation.action === "replace" ? structuredClone(sent) : patched(versioned, operation, row, sent);
    refuse(versioned.validateBody!(next));
    const { version: _version, ...values } = versioned.shape!.up(next as Record<string, unknown>);
    return onlyWritable(operation, values, caller);
  };
  const body = change(current!);
  const expected = ifMatch ?? (typeof version === "number" ? { from: "body" as const, versions: [version] } : undefined);
  return { body, sent, expected, change };
}

/** What the client's shape of the row becomes under the patch, before validation. */
function patched({ shape, bodyProperties }: VersionedRoute, operation: AnyOperation, row: Record<string, unknown>, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  refuse(Object.keys(patch).filter((name) => !bodyProperties.has(name)).map((field) => ({ field, message: "is not a known property" })));
  const shown = shape!.down(representationOf(operation.resource!, row));
  const { version: _version, ...writable } = Object.fromEntries([...bodyProperties].map((name) => [name, shown[name]]));
  return mergePatch(writable, patch);
}

/** 403 for a property that only a role may change, when the body would change it. */
function refuseRestricted(operation: AnyOperation, { shape }: VersionedRoute, sent: Record<string, unknown>, caller: Caller, current: Record<string, unknown>): void {
  const rules = operation.resource!.spec.writableBy ?? {};
  const newest = shape!.up(sent);
  for (const [property, access] of Object.entries(rules)) {
    const changes = property in newest && JSON.stringify(newest[property]) !== JSON.stringify(current[property]);
    if (changes && !holdsRole(access!, caller)) throw roleMissing();
  }
}

function onlyWritable(operation: AnyOperation, values: Record<string, unknown>, caller: Caller): Record<string, unknown> {
  const rules = operation.resource!.spec.writableBy ?? {};
  return Object.fromEntries(Object.entries(values).filter(([name]) => rules[name] === undefined || holdsRole(rules[name], caller)));
}

function refuse(details: readonly Detail[]): void {
  if (details.length > 0) throw invalid(details);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
