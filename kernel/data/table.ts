// The table of a resource: list, get, insert, update and remove as parametrised, prepared SQL.
//
// Conventions the migrations follow (a drift check names what differs): columns in snake_case,
// `id uuid`, `version integer`, `created_at`, `updated_at`, `deleted_at` with soft delete, and unique
// indexes named `<table>_<columns>_key`, partial `where deleted_at is null`.

import { createHash } from "node:crypto";
import { errors, Failure, type ListQuery, type Resource, type RowOf, unprocessable } from "../contract/index.ts";
import { type Column, columnsOf } from "./columns.ts";
import type { Cursors } from "./cursor.ts";
import { constraintName } from "./definitions.ts";
import type { Queryable, Row, Statement, Tx } from "./queryable.ts";
import { countSql, listSql, type ListSource, type ListStatement, type Scope } from "./list-sql.ts";
import { constraintOf } from "./pg-errors.ts";
import { readTogether } from "./read-together.ts";

export interface ListPage<T> {
  rows: T[];
  hasMore: boolean;
  nextCursor: string | null;
  /** Only for lists by page: with a cursor nothing is counted. */
  total: number | undefined;
}

export interface Table<R extends Resource = Resource> {
  readonly resource: R;
  /** The row, deleted ones only with `includeDeleted`. With `lock`, other writers wait until the transaction ends. */
  get(
    db: Queryable,
    id: string,
    options?: { lock?: boolean; scope?: Scope; includeDeleted?: boolean },
  ): Promise<RowOf<R> | undefined>;
  /** The living rows among the ids, in no particular order. With `lock` as `get` locks them, in one order everywhere. */
  getMany(db: Queryable, ids: readonly string[], options?: { lock?: boolean }): Promise<RowOf<R>[]>;
  list(
    db: Queryable,
    query: ListQuery,
    options: { scope: Scope; cursors: Cursors; binding: string },
  ): Promise<ListPage<RowOf<R>>>;
  /** A cursor of this list as it is for another binding; refused as `list` refuses it. */
  rebind(
    cursor: string,
    query: ListQuery,
    options: { scope: Scope; cursors: Cursors; binding: string; to: string },
  ): string;
  /** Inserts version 1. A taken unique value is a Failure DUPLICATE. */
  insert(tx: Tx, values: Partial<RowOf<R>> & { id: string }, now: string): Promise<RowOf<R>>;
  /** `insert` for rows that have the same properties, in one statement; answers them in their order. */
  insertMany(tx: Tx, rows: readonly (Partial<RowOf<R>> & { id: string })[], now: string): Promise<RowOf<R>[]>;
  /**
   * Writes the given properties and raises the version; undefined when the row is gone. A deleted row is gone,
   * unless `deletedAt: null` is among them, which restores it: a unique value taken meanwhile is a DUPLICATE.
   */
  update(tx: Tx, id: string, values: Partial<RowOf<R>>, now: string): Promise<RowOf<R> | undefined>;
  /** Deletes softly where the resource says so; answers the row as it was left, or undefined. */
  remove(tx: Tx, id: string, now: string): Promise<RowOf<R> | undefined>;
  /**
   * Erases at most `limit` rows that were deleted softly before `before`; answers how many. Several processes at
   * once erase different ones.
   */
  purge(db: Queryable, before: string, limit: number): Promise<number>;
}

export function createTable<R extends Resource>(resource: R): Table<R> {
  const columns = columnsOf(resource);
  const table = `"${resource.table}"`;
  const selected = [...columns.values()].map((column) => column.sql).join(", ");
  const softDelete = Boolean(resource.spec.softDelete);
  const living = softDelete ? " and deleted_at is null" : "";
  const source: ListSource = {
    table,
    columns,
    selected,
    searchable: (resource.spec.searchable ?? []).map(String),
    searchTable: resource.spec.searchTable,
    softDelete,
  };
  const idColumn = columns.get("id")!;
  const decoders = [...columns.values()].map((column) => ({ ...column, name: unquoted(column) }));
  const decode = (row: Row) => decodeRow(decoders, row) as RowOf<R>;
  const statement = statementsOf(resource.table);

  const selectOne = (includeDeleted: boolean, lock: boolean) => {
    const text = `select ${selected} from ${table} where id = $1${includeDeleted ? "" : living}${lock ? " for update" : ""}`;
    return statement(text, text);
  };
  const selectMany = (includeDeleted: boolean, lock = false) => {
    const text = `select ${selected} from ${table} where id = any($1::uuid[])${includeDeleted ? "" : living}${lock ? " order by id for update" : ""}`;
    return statement(text, text);
  };
  const rowsOf = ({ rows }: { rows: Row[] }) => rows;
  const reads = (includeDeleted: boolean) =>
    readTogether({
      one: (db, uuid, signal) =>
        db.query(selectOne(includeDeleted, false), [uuid], { signal }).then(({ rows }) => rows[0]),
      many: (db, uuids, signal) => db.query(selectMany(includeDeleted), [uuids], { signal }).then(rowsOf),
    });
  const readLiving = reads(false);
  const readAny = reads(true);
  const readOne = async (db: Queryable, uuid: string, includeDeleted: boolean, lock: boolean) => {
    // A transaction has its statements in the order in which they were sent.
    if (!lock && !isTx(db)) return (includeDeleted ? readAny : readLiving)(db, uuid);
    return rowsOf(await db.query(selectOne(includeDeleted, lock), [uuid]))[0];
  };
  const removal = softDelete
    ? statement(
        "remove",
        `update ${table} set deleted_at = $2, updated_at = $2, version = version + 1 where id = $1 and deleted_at is null returning ${selected}`,
      )
    : statement("remove", `delete from ${table} where id = $1 returning ${selected}`);

  const boundTo = (binding: string, { filters, sort, q, includeDeleted }: ListQuery, scope: Scope) =>
    `${binding}\n${resource.table}\n${JSON.stringify([filters, sort, q, includeDeleted, scope])}`;

  const purgeDeleted = statement(
    "purge",
    `delete from ${table} where id in (
       select id from ${table} where deleted_at < $1 order by deleted_at limit $2 for update skip locked)`,
  );

  return {
    resource,
    async get(db, id, { lock = false, scope = {}, includeDeleted = false } = {}) {
      const found = await readOne(db, idColumn.encode(id) as string, includeDeleted, lock);
      const row = found && decode(found);
      return row && Object.entries(scope).every(([property, value]) => row[property] === value) ? row : undefined;
    },
    async getMany(db, ids, { lock = false } = {}) {
      const { rows } = await db.query(selectMany(false, lock), [ids.map((id) => idColumn.encode(id))]);
      return rows.map(decode);
    },
    async list(db, query, { scope, cursors, binding }) {
      const bound = boundTo(binding, query, scope);
      const after = query.cursor === undefined ? undefined : cursors.decode(bound, query.cursor);
      const ask = ({ text, values, steady }: ListStatement) =>
        db.query(steady ? statement(text, text) : text, values).then(({ rows }) => rows);
      const counted = query.page === undefined ? undefined : ask(countSql(source, query, scope)).then(totalOf);
      // The first page is asked for together with the count. A later one waits for it: beyond the end, the offset
      // would read every row to answer none.
      const skipped = ((query.page ?? 1) - 1) * query.limit;
      const beyond = skipped > 0 && skipped >= (await counted)!;
      const [rows, total] = await Promise.all([beyond ? [] : ask(listSql(source, query, scope, after)), counted]);
      const hasMore = rows.length > query.limit;
      const page = hasMore ? rows.slice(0, query.limit) : rows;
      const last = page.at(-1);
      return {
        rows: page.map(decode),
        hasMore,
        nextCursor: hasMore
          ? cursors.encode(
              bound,
              query.sort.map(({ property }) => last![unquoted(columns.get(property)!)]),
            )
          : null,
        total,
      };
    },
    rebind: (cursor, query, { scope, cursors, binding, to }) =>
      cursors.encode(boundTo(to, query, scope), cursors.decode(boundTo(binding, query, scope), cursor)),
    async insert(tx, values, now) {
      const row: Record<string, unknown> = { ...values, version: 1, createdAt: now, updatedAt: now };
      const used = [...columns.values()].filter(({ property }) => property in row);
      const text = `insert into ${table} (${used.map((column) => column.sql).join(", ")}) values (${used.map((_, index) => `$${index + 1}`).join(", ")}) returning ${selected}`;
      const inserted = await mapped(
        resource,
        tx.query(
          statement(text, text),
          used.map((column) => column.encode(row[column.property])),
        ),
      );
      return decode(inserted.rows[0]!);
    },
    async insertMany(tx, values, now) {
      const rows = values.map((one) => ({ ...one, version: 1, createdAt: now, updatedAt: now }));
      const used = [...columns.values()].filter(({ property }) => property in (rows[0] ?? {}));
      const names = used.map((column) => column.sql).join(", ");
      // PostgreSQL has the types of the columns: one text for any number of rows.
      const text = `insert into ${table} (${names}) select ${names} from json_populate_recordset(null::${table}, $1::json) returning ${selected}`;
      const sent = JSON.stringify(rows.map((row) => asJson(used, row)));
      const inserted = await mapped(resource, tx.query(statement(text, text), [sent]));
      const byId = new Map(inserted.rows.map((row) => [row.id, row]));
      return rows.map(({ id }) => decode(byId.get(idColumn.encode(id))!));
    },
    async update(tx, id, values, now) {
      const used = [...columns.values()].filter(({ property }) => property in values);
      const assignments = used.map((column, index) => `${column.sql} = $${index + 3}, `).join("");
      const text = `update ${table} set ${assignments}version = version + 1, updated_at = $2 where id = $1${"deletedAt" in values ? "" : living} returning ${selected}`;
      const parameters = [
        idColumn.encode(id),
        now,
        ...used.map((column) => column.encode(values[column.property as keyof typeof values])),
      ];
      const updated = await mapped(resource, tx.query(statement(text, text), parameters));
      return updated.rows[0] && decode(updated.rows[0]);
    },
    async remove(tx, id, now) {
      const { rows } = await tx.query(removal, softDelete ? [idColumn.encode(id), now] : [idColumn.encode(id)]);
      return rows[0] && decode(rows[0]);
    },
    async purge(db, before, limit) {
      if (!softDelete) return 0;
      const { rowCount } = await db.query(purgeDeleted, [before, limit]);
      return rowCount;
    },
  };
}

/** By the names of the columns, as `json_populate_recordset` reads it. */
function asJson(columns: readonly Column[], row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    columns.map((column) => {
      const value = row[column.property];
      return [unquoted(column), column.kind === "json" ? value : column.encode(value)];
    }),
  );
}

function isTx(db: Queryable): db is Tx {
  return "beforeCommit" in db;
}

/** A connection keeps what it prepared, so there is an end to it; what comes later is sent unprepared. */
const namedStatementsMax = 256;

/** Names statements so that each connection prepares them once. PostgreSQL cuts names at 63 bytes. */
function statementsOf(table: string) {
  const known = new Map<string, { name: string; text: string }>();
  return (action: string, text: string): Statement => {
    if (!known.has(action) && known.size >= namedStatementsMax) return text;
    const found = known.get(action) ?? {
      name: `${table.slice(0, 30)}.${createHash("sha1").update(text).digest("base64url")}`,
      text,
    };
    known.set(action, found);
    return found;
  };
}

function totalOf(rows: readonly Row[]): number {
  return Number(rows[0]!.total);
}

function decodeRow(columns: readonly (Column & { name: string })[], row: Row): Record<string, unknown> {
  const decoded: Record<string, unknown> = {};
  for (const { property, name, decode } of columns) decoded[property] = decode(row[name]);
  return decoded;
}

function unquoted(column: Column): string {
  return column.sql.slice(1, -1);
}

/**
 * Turns the violation of one of the table's rules into an answer that names the property: a unique index into
 * 409, a foreign key (named as PostgreSQL names it, `<table>_<column>_fkey`) into 422.
 */
async function mapped<T>(resource: Resource, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (cause) {
    throw refusalOf(resource, constraintOf(cause), cause);
  }
}

function refusalOf({ name, table, spec, columns }: Resource, violated: string | undefined, cause: unknown): unknown {
  const taken = (spec.unique ?? []).find(
    (properties) => violated === constraintName(table, properties.map(String), "key"),
  );
  if (taken !== undefined) {
    const details = taken.map((property) => ({ field: String(property), message: "is already taken" }));
    const options = { details, cause };
    return new Failure(errors.duplicate, `Another ${name} has this ${taken.map(String).join(" and ")}`, options);
  }
  const dangling = Object.keys(columns).find((property) => violated === constraintName(table, [property], "fkey"));
  if (dangling === undefined) return cause;
  return unprocessable(`The ${name} refers to something that does not exist`, {
    details: [{ field: dangling, message: "does not exist" }],
    cause,
  });
}
