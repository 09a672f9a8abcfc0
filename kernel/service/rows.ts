// What the standard operations do with rows. A custom handler that does more calls these with a
// `decide` of its own, so that locking, versions and events stay in one place.

import type { Caller } from "../auth/index.ts";
import { canonicalJson } from "../base/index.ts";
import {
  Failure,
  type Fields,
  type ListQuery,
  notFound,
  type Page,
  type Resource,
  type RowOf,
  schemaOf,
} from "../contract/index.ts";
import type { ListPage, Scope, StoredRow, Tx } from "../data/index.ts";
import type { Context } from "./context.ts";
import type { StandardInput } from "./implement.ts";
import { checkExpected } from "./preconditions.ts";

/** Inserts a row, fills defaults, emits the created event. `after` runs in the same transaction. */
export async function createRow<R extends Resource>(
  ctx: Context,
  resource: R,
  values: Record<string, unknown>,
  after?: (tx: Tx, created: RowOf<R>) => Promise<void>,
): Promise<RowOf<R>> {
  const row = newRow(ctx, resource, values);
  return ctx.transaction((tx) => insertRow(ctx, tx, resource, row, after));
}

/** Creates all of the rows or, when one is refused, none; the refusal names its place: `items[3].sku`. */
export async function createRows<R extends Resource>(
  ctx: Context,
  resource: R,
  items: readonly Record<string, unknown>[],
): Promise<RowOf<R>[]> {
  const rows = items.map((values) => newRow(ctx, resource, values));
  return ctx.transaction((tx) =>
    // Sent without waiting for each other; the first that fails is the first to reject, since they run in order.
    Promise.all(
      rows.map((row, index) =>
        insertRow(ctx, tx, resource, row).catch((error: unknown) => {
          throw placed(error, `items[${index}]`);
        }),
      ),
    ),
  );
}

type NewRow<R extends Resource> = Partial<RowOf<R>> & { id: string };

function newRow<R extends Resource>(ctx: Context, resource: R, values: Record<string, unknown>): NewRow<R> {
  const id = ctx.newId(resource.spec.id);
  return { ...defaultsOf(resource), ...ownerOf(ctx, resource), ...values, id } as NewRow<R>;
}

async function insertRow<R extends Resource>(
  ctx: Context,
  tx: Tx,
  resource: R,
  row: NewRow<R>,
  after?: (tx: Tx, created: RowOf<R>) => Promise<void>,
): Promise<RowOf<R>> {
  const inserted = await ctx.table(resource).insert(tx, row, ctx.now());
  await after?.(tx, inserted);
  ctx.changed(tx, resource, [inserted]);
  await announce(ctx, tx, resource, "created", inserted);
  return inserted;
}

/** A refusal of one item, with its fields named from the whole body. */
function placed(error: unknown, place: string): unknown {
  if (!(error instanceof Failure)) return error;
  const details = error.details.map(({ field, message }) => ({ field: `${place}.${field}`, message }));
  return new Failure(error, error.message, { details, headers: error.headers, cause: error.cause });
}

/** What a change adds beyond the client's values, decided on the locked row; throws to refuse. */
export type Decide<R extends Resource> = (
  tx: Tx,
  current: RowOf<R>,
  next: Record<string, unknown>,
) => Promise<Record<string, unknown> | void>;

/**
 * Changes a row under its lock: version check, then `decide`, then write. A change that changes
 * nothing writes nothing, bumps no version and emits nothing. Taking a deletion back is a change like any other.
 */
export async function changeRow<R extends Resource>(
  ctx: Context,
  resource: R,
  input: StandardInput,
  decide?: Decide<R>,
): Promise<RowOf<R>> {
  return ctx.transaction(async (tx) => {
    const table = ctx.table(resource);
    const { scope, restores } = input;
    const current = await table.get(tx, input.params.id!, { lock: true, scope, includeDeleted: restores });
    if (current === undefined) throw notFound();
    checkExpected(input.expected, current.version);
    const next = input.change(current);
    const restored = restores ? { deletedAt: null } : {};
    const values = { ...next, ...restored, ...(await decide?.(tx, current, next)) };
    return writeChange(ctx, tx, resource, current, values);
  });
}

/** Writes what differs of `values` and announces it, in the transaction that holds the lock on `current`. */
export async function writeChange<R extends Resource>(
  ctx: Context,
  tx: Tx,
  resource: R,
  current: RowOf<R>,
  values: Record<string, unknown>,
): Promise<RowOf<R>> {
  const changed = Object.keys(values).filter(
    (name) => canonicalJson(values[name]) !== canonicalJson((current as Record<string, unknown>)[name]),
  );
  if (changed.length === 0) return current;
  const row = await ctx
    .table(resource)
    .update(
      tx,
      current.id,
      Object.fromEntries(changed.map((name) => [name, values[name]])) as Partial<RowOf<R>>,
      ctx.now(),
    );
  ctx.changed(tx, resource, [current, row!]);
  await announce(ctx, tx, resource, "updated", row!);
  return row!;
}

/** Deletes a row, softly where the resource says so. `after` runs in the same transaction. */
export async function removeRow<R extends Resource>(
  ctx: Context,
  resource: R,
  input: StandardInput,
  after?: (tx: Tx, removed: RowOf<R>) => Promise<void>,
): Promise<void> {
  await ctx.transaction(async (tx) => {
    const table = ctx.table(resource);
    const current = await table.get(tx, input.params.id!, { lock: true, scope: input.scope });
    if (current === undefined) throw notFound();
    checkExpected(input.expected, current.version);
    const removed = (await table.remove(tx, current.id, ctx.now()))!;
    await after?.(tx, removed);
    ctx.changed(tx, resource, [removed]);
    await announce(ctx, tx, resource, "deleted", removed);
  });
}

export async function readRow<R extends Resource>(ctx: Context, resource: R, input: StandardInput): Promise<RowOf<R>> {
  return ctx.table(resource).decode(await readStoredRow(ctx, resource, input));
}

/** `readRow` for an answer that shows the row and nothing else. */
export async function readStoredRow(ctx: Context, resource: Resource, input: StandardInput): Promise<StoredRow> {
  const { scope, includeDeleted } = input;
  const row = await ctx.table(resource).getStored(ctx.db, input.params.id!, { scope, includeDeleted });
  if (row === undefined) throw notFound();
  return row;
}

/** A page of rows as clients see a page. */
export async function listRows<R extends Resource>(
  ctx: Context,
  resource: R,
  input: StandardInput,
): Promise<Page<RowOf<R>>> {
  return pageAnswer(await ctx.table(resource).list(ctx.db, input.list, listOptions(ctx, input)), input.list);
}

/** `listRows` for an answer that shows the rows and nothing else. */
export async function listStoredRows(ctx: Context, resource: Resource, input: StandardInput): Promise<Page<StoredRow>> {
  return pageAnswer(await ctx.table(resource).listStored(ctx.db, input.list, listOptions(ctx, input)), input.list);
}

function listOptions(ctx: Context, { scope }: StandardInput) {
  return { scope, cursors: ctx.cursors, binding: callerBinding(ctx.caller) };
}

function pageAnswer<T>({ rows, total, hasMore, nextCursor }: ListPage<T>, list: ListQuery): Page<T> {
  const counted = total === undefined ? {} : { total, page: list.page! };
  return { data: rows, pagination: { ...counted, limit: list.limit, hasMore, nextCursor } };
}

/** A page of a short array that is already here, such as the lines of an order; `name` says of what. */
export function pageOfArray<T>(ctx: Context, name: string, items: readonly T[], list: ListQuery): Page<T> {
  const { cursors } = ctx;
  const binding = `${callerBinding(ctx.caller)}\n${name}`;
  const start =
    list.cursor === undefined ? (list.page! - 1) * list.limit : Number(cursors.decode(binding, list.cursor)[0]);
  const end = start + list.limit;
  const hasMore = end < items.length;
  const counted = list.cursor === undefined ? { total: items.length, page: list.page! } : {};
  const nextCursor = hasMore ? cursors.encode(binding, [end]) : null;
  return { data: items.slice(start, end), pagination: { ...counted, limit: list.limit, hasMore, nextCursor } };
}

/** Whose cursors a caller's are. */
export function callerBinding(caller: Caller): string {
  return caller.kind === "user" ? caller.userId : caller.kind;
}

async function announce<R extends Resource>(
  ctx: Context,
  tx: Tx,
  resource: R,
  change: "created" | "updated" | "deleted",
  row: RowOf<R>,
): Promise<void> {
  const type = resource.events[change];
  if (type !== undefined)
    await ctx.emit(tx, type, { aggregateId: row.id, version: row.version, data: representationOf(resource, row) });
}

/** What a client may see of a row, in the newest shape. */
export function representationOf(resource: Resource, row: Record<string, unknown>): Record<string, unknown> {
  let names = shownNames.get(resource);
  if (names === undefined)
    shownNames.set(resource, (names = Object.keys(schemaOf(resource.representation).properties!)));
  const shown: Record<string, unknown> = {};
  for (const name of names) shown[name] = row[name];
  return shown;
}

const shownNames = new WeakMap<Resource, readonly string[]>();

function defaultsOf(resource: Resource): Record<string, unknown> {
  const fields: Fields = { ...resource.spec.properties, ...resource.spec.readOnly };
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, schema]) => ("default" in schema ? [[name, schemaOf(schema).default]] : [])),
  );
}

function ownerOf(ctx: Context, resource: Resource): Record<string, unknown> {
  const { owner } = resource.spec;
  return owner !== undefined && ctx.caller.kind === "user" ? { [String(owner)]: ctx.caller.userId } : {};
}

/** Properties that every row of a scope shares, from the address: `/users/{userId}/sessions`. */
export function scopeOfPath(resource: Resource, params: Record<string, string>): Scope {
  return Object.fromEntries(Object.entries(params).filter(([name]) => name !== "id" && name in resource.columns));
}
