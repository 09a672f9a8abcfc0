// Reads that the contract lets be answered from the cache.
//
// What is kept is what the handler answered, cut down to what clients may see: the shapes of older versions, `fields`
// and tags of answers are made of it for each request. Rows are thus kept once, whatever is asked of them, and private
// columns never. What anybody may read is computed for nobody, so that it cannot hold what only one may see; everything
// else is kept under the caller. Deleted rows, which few may see, are not kept. The cursor of a page belongs to the
// caller: it is made over for nobody on the way in and for the caller on the way out.

import { createHash } from "node:crypto";
import type { Caller } from "../auth/index.ts";
import { canonicalJson } from "../base/index.ts";
import type { Entry } from "../cache/index.ts";
import {
  errors,
  everyTag,
  Failure,
  filledTag,
  type ListQuery,
  listTag,
  notFound,
  type Page,
  type Resource,
  rowTag,
} from "../contract/index.ts";
import type { Answer } from "../http/index.ts";
import { type Encoding, encodeResult } from "./encode.ts";
import type { Route } from "./routes.ts";
import { callerBinding, representationOf } from "./rows.ts";

interface Asked {
  params: Record<string, string>;
  scope: Readonly<Record<string, unknown>>;
  query: Readonly<Record<string, unknown>>;
  list: ListQuery | undefined;
  includeDeleted: boolean;
}

/** Computes the answer on behalf of somebody. */
export type Compute = (on: Caller, input: Asked) => Promise<unknown>;

/** The answer, from the cache if it may be. */
export function readCached(
  encoding: Encoding,
  caller: Caller,
  asked: Asked,
  compute: Compute,
): Answer | Promise<Answer> {
  const { route } = encoding;
  const { operation, service } = route;
  if (operation.cache === undefined || asked.includeDeleted)
    return compute(caller, asked).then((result) => encodeResult(encoding, result));
  const on = computedFor(route, caller);
  const made = cursorsMadeOver(route, asked);
  const cursor = asked.list?.cursor;
  const input = cursor === undefined ? asked : { ...asked, list: { ...asked.list!, cursor: made(cursor, caller, on) } };
  const load = async () => {
    try {
      return visible(route, await compute(on, input));
    } catch (error) {
      if (isNothing(error)) return undefined;
      throw error;
    }
  };
  const rule = { ...operation.cache, tags: tagsOf(route, input) };
  const kept = service.parts.cache.entry(keyOf(route, on, input), rule, load);
  const answer = (entry: Entry) => {
    if (entry.json === undefined) throw notFound();
    if (operation.action === "list")
      return encodeResult(
        encoding,
        pageOf(entry.json, (cursor) => made(cursor, on, caller)),
      );
    return encoding.fields === undefined
      ? answerOf(encoding, entry, entry.json)
      : encodeResult(encoding, JSON.parse(entry.json));
  };
  return kept instanceof Promise ? kept.then(answer) : answer(kept);
}

/** Made once of what is kept, for each version of the API, and let go with it. */
function answerOf(encoding: Encoding, entry: Entry, json: string): Answer {
  const { answers } = encoding.versioned;
  let answer = answers.get(entry);
  if (answer === undefined) answers.set(entry, (answer = encodeResult(encoding, JSON.parse(json))));
  return answer;
}

function pageOf(json: string, made: (cursor: string) => string): Page<unknown> {
  const { data, pagination } = JSON.parse(json) as Page<unknown>;
  const { nextCursor } = pagination;
  return { data, pagination: { ...pagination, nextCursor: nextCursor && made(nextCursor) } };
}

/** A page that a handler of the service's own makes has cursors that are not known here: it is made for each caller. */
function computedFor({ operation, service, isList }: Route, caller: Caller): Caller {
  const forAll = operation.access.includes("anyone") && (!isList || service.isStandard(operation));
  return forAll ? { kind: "nobody", address: "" } : caller;
}

function cursorsMadeOver({ operation, service }: Route, { list, scope }: Asked) {
  const { cursors, tables } = service.parts;
  return (cursor: string, from: Caller, to: Caller): string => {
    const [binding, other] = [callerBinding(from), callerBinding(to)];
    if (operation.action !== "list" || binding === other) return cursor;
    return tables.get(operation.resource!.name)!.rebind(cursor, list!, { scope, cursors, binding, to: other });
  };
}

function tagsOf({ operation }: Route, { params, scope }: Asked): string[] {
  const { cache, resource, action } = operation;
  if (cache !== undefined && "dependsOn" in cache)
    return cache.dependsOn.flatMap((one) =>
      typeof one === "string" ? [filledTag(one, params)] : [listTag(one), everyTag(one)],
    );
  const rows =
    action === "get"
      ? rowTag(resource!, params.id!)
      : listTag(resource!, scope[String(resource!.spec.owner)] as string | undefined);
  return [rows, everyTag(resource!)];
}

const longestPlainKey = 200;

/** Everything that the answer may differ by. A standard list is read whole, whatever `fields` shows of it. */
function keyOf({ operation: { name, action } }: Route, on: Caller, input: Asked): string {
  const { params, scope, query, list } = input;
  // What most reads are, without looking into everything that they are not.
  if (action === "get" && on.kind === "nobody" && isEmpty(scope) && isEmpty(query))
    return `${name} row ${JSON.stringify(params)}`;
  const asked = action === "list" ? { ...list, fields: null } : { list: list ?? null, query: query ?? null };
  const key = `${name} ${canonicalJson([whoIs(on), params, scope, asked])}`;
  return key.length <= longestPlainKey ? key : `${name} ${createHash("sha256").update(key).digest("base64url")}`;
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}

function whoIs(caller: Caller): unknown {
  if (caller.kind !== "user") return caller.kind;
  const { userId, email, roles, sessionId, scopes } = caller;
  return { userId, email, roles, sessionId, scopes: scopes ?? null };
}

function visible({ operation, isList }: Route, answer: unknown): unknown {
  const { resource } = operation;
  if (resource === undefined) return answer;
  if (!isList) return shown(resource, answer);
  const page = answer as Page<unknown>;
  return { ...page, data: page.data.map((row) => shown(resource, row)) };
}

function shown(resource: Resource, row: unknown): unknown {
  return representationOf(resource, row as Record<string, unknown>);
}

/** That there is no such row, and no more than that: a refusal with words of its own is not the same for everybody. */
function isNothing(error: unknown): boolean {
  return error instanceof Failure && error.code === errors.notFound.code && error.message === notFound().message;
}
