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
import type { Queryable, Row, Tx } from "./queryable.ts";
import { countSql, listSql, type ListSource, type Scope } from "./list-sql.ts";
import { constraintOf } from "./pg-errors.ts";

export interface ListPage<T> {
  rows: T[];
  hasMore: boolean;
  nextCursor: string | null;
  /** Only for lists by page: with a cursor nothing is counted. */
  total: number | undefined;
}

export interface Table<R extends Resource = Resource> {
  readonly resource: R;
  /** The living row. With `lock`, other writers wait until the transaction ends. */
  get(db: Queryable, id: string, options?: { lock?: boolean; scope?: Scope }): Promise<RowOf<R> | undefined>;
  /** The living rows among the ids, in no particular order. */
  getMany(db: Queryable, ids: readonly string[]): Promise<RowOf<R>[]>;
  list(
    db: Queryable,
    query: ListQuery,
    options: { scope: Scope; cursors: Cursors; binding: string },
  ): Promise<ListPage<RowOf<R>>>;
  /** Inserts version 1. A taken unique value is a Failure DUPLICATE. */
  insert(tx: Tx, values: Partial<RowOf<R>> & { id: string }, now: string): Promise<RowOf<R>>;
  /** Writes the given properties and raises the version; undefined when the row is gone. */
  update(tx: Tx, id: string, values: Partial<RowOf<R>>, now: string): Promise<RowOf<R> | undefined>;
  /** Deletes softly where the resource says so; answers the row as it was left, or undefined. */
  remove(tx: Tx, id: string, now: string): Promise<RowOf<R> | undefined>;
}

export function createTable<R extends Resource>(resource: R): Table<R> {
  const columns = columnsOf(resource);
  const table = `"${resource.table}"`;
  const selected = [...columns.values()].map((column) => column.sql).join(", ");
  const softDelete = resource.spec.softDelete === true;
  const living = softDelete ? " and deleted_at is null" : "";
  const source: ListSource = {
    table,
    columns,
    selected,
    searchable: (resource.spec.searchable ?? []).map(String),
    softDelete,
  };
  const idColumn = columns.get("id")!;
  const decode = (row: Row) => decodeRow(columns, row) as RowOf<R>;
  const statement = statementsOf(resource.table);

  const getText = `select ${selected} from ${table} where id = $1${living}`;
  const selectOne = statement("get", getText);
  const selectForUpdate = statement("lock", `${getText} for update`);
  const selectMany = statement("many", `select ${selected} from ${table} where id = any($1::uuid[])${living}`);
  const removal = softDelete
    ? statement(
        "remove",
        `update ${table} set deleted_at = $2, updated_at = $2, version = version + 1 where id = $1 and deleted_at is null returning ${selected}`,
      )
    : statement("remove", `delete from ${table} where id = $1 returning ${selected}`);

  return {
    resource,
    async get(db, id, { lock = false, scope = {} } = {}) {
      const { rows } = await db.query(lock ? selectForUpdate : selectOne, [idColumn.encode(id)]);
      const row = rows[0] && decode(rows[0]);
      return row && Object.entries(scope).every(([property, value]) => row[property] === value) ? row : undefined;
    },
    async getMany(db, ids) {
      const { rows } = await db.query(selectMany, [ids.map((id) => idColumn.encode(id))]);
      return rows.map(decode);
    },
    async list(db, query, { scope, cursors, binding }) {
      const bound = `${binding}\n${resource.table}\n${JSON.stringify([query.filters, query.sort, query.q, scope])}`;
      const after = query.cursor === undefined ? undefined : cursors.decode(bound, query.cursor);
      const total = query.page === undefined ? undefined : await count(db, source, query, scope);
      const beyond = total !== undefined && (query.page! - 1) * query.limit >= total;
      const rows = beyond ? [] : await select(db, source, query, scope, after);
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
    async insert(tx, values, now) {
      const row: Record<string, unknown> = { ...values, version: 1, createdAt: now, updatedAt: now };
      const names = Object.keys(row).filter((property) => columns.has(property));
      const used = names.map((property) => columns.get(property)!);
      const text = `insert into ${table} (${used.map((column) => column.sql).join(", ")}) values (${used.map((_, index) => `$${index + 1}`).join(", ")}) returning ${selected}`;
      const inserted = await mapped(
        resource,
        tx.query(
          statement(`insert:${names.join(",")}`, text),
          used.map((column) => column.encode(row[column.property])),
        ),
      );
      return decode(inserted.rows[0]!);
    },
    async update(tx, id, values, now) {
      const used = Object.keys(values).flatMap((property) => columns.get(property) ?? []);
      const assignments = used.map((column, index) => `${column.sql} = $${index + 3}, `).join("");
      const text = `update ${table} set ${assignments}version = version + 1, updated_at = $2 where id = $1${living} returning ${selected}`;
      const parameters = [
        idColumn.encode(id),
        now,
        ...used.map((column) => column.encode(values[column.property as keyof typeof values])),
      ];
      const updated = await mapped(
        resource,
        tx.query(statement(`update:${used.map((column) => column.property).join(",")}`, text), parameters),
      );
      return updated.rows[0] && decode(updated.rows[0]);
    },
    async remove(tx, id, now) {
      const { rows } = await tx.query(removal, softDelete ? [idColumn.encode(id), now] : [idColumn.encode(id)]);
      return rows[0] && decode(rows[0]);
    },
  };
}

/** Names statements so that each connection prepares them once. PostgreSQL cuts names at 63 bytes. */
function statementsOf(table: string) {
  const known = new Map<string, { name: string; text: string }>();
  return (action: string, text: string) => {
    const found = known.get(action) ?? {
      name: `${table.slice(0, 30)}.${createHash("sha1").update(text).digest("base64url")}`,
      text,
    };
    known.set(action, found);
    return found;
  };
}

async function count(db: Queryable, source: ListSource, query: ListQuery, scope: Scope): Promise<number> {
  const { text, values } = countSql(source, query, scope);
  return Number((await db.query(text, values)).rows[0]!.total);
}

async function select(
  db: Queryable,
  source: ListSource,
  query: ListQuery,
  scope: Scope,
  after: readonly unknown[] | undefined,
): Promise<Row[]> {
  const { text, values } = listSql(source, query, scope, after);
  return (await db.query(text, values)).rows;
}

function decodeRow(columns: ReadonlyMap<string, Column>, row: Row): Record<string, unknown> {
  const decoded: Record<string, unknown> = {};
  for (const column of columns.values()) decoded[column.property] = column.decode(row[unquoted(column)]);
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
