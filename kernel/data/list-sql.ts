// The SQL of a list: filters, keyset or offset, order. Pure text and values, built per request from
// columns that were checked against the contract; client text only ever travels as a parameter.
//
// Every condition is written so that an index can serve it: the column stands bare, as it is in the index, and
// the parameter has a type of the column's family. Which indexes a list needs, and what then holds, is
// docs/decisions/0006-what-lists-cost.md; `noSequentialScans` of ashlar/testing finds those that are missing.

import { type Filter, type ListQuery, maxLimit, type SortKey } from "../contract/index.ts";
import type { Column } from "./columns.ts";

export interface ListSource {
  table: string;
  columns: ReadonlyMap<string, Column>;
  selected: string;
  searchable: readonly string[];
  /** Where the searchable columns are also kept, in lower case. */
  searchTable: string | undefined;
  softDelete: boolean;
}

/** Equality that the caller's rights or the address impose, beside what the client asked for. */
export type Scope = Readonly<Record<string, unknown>>;

export interface ListStatement {
  text: string;
  values: unknown[];
  /** Whether one plan is right for all values, so that it may be made once and kept. */
  steady: boolean;
}

export function listSql(
  source: ListSource,
  query: ListQuery,
  scope: Scope,
  after: readonly unknown[] | undefined,
): ListStatement {
  const values: unknown[] = [];
  const conditions = conditionsOf(source, query, scope, values);
  if (after !== undefined) conditions.push(keyset(source, query.sort, after, values));
  const order = query.sort
    .map(({ property, descending }) => `${column(source, property).sql} ${descending ? "desc" : "asc"}`)
    .join(", ");
  const rows = `select ${source.selected} from ${source.table}${where(conditions)} order by ${order}`;
  const limit = `limit ${bind(values, query.limit + 1)}::int`;
  if (isInOrderOfOwner(query, scope)) return { text: `${rows} ${limit}`, values, steady: true };
  if (isSteady(query, scope)) {
    // A plan that is kept must not depend on the limit, and without a number PostgreSQL takes a tenth of the table
    // to be wanted. So the number is the largest there is, and the limit that was asked for stops earlier.
    const text = `select * from (${rows} limit ${maxLimit + 1}) as page order by ${order} ${limit}`;
    return { text, values, steady: true };
  }
  const offset = skips(query) ? ` offset ${bind(values, (query.page! - 1) * query.limit)}::bigint` : "";
  return { text: `${rows} ${limit}${offset}`, values, steady: false };
}

export function countSql(source: ListSource, query: ListQuery, scope: Scope): ListStatement {
  const values: unknown[] = [];
  const conditions = where(conditionsOf(source, query, scope, values));
  const text = `select count(*)::int8 as total from ${source.table}${conditions}`;
  return { text, values, steady: isSteady(query, scope) || isInOrderOfOwner(query, scope) };
}

/**
 * How many rows a filter or a scope leaves decides between walking the order and collecting matches (a plan
 * made for the average customer sorts all rows of the largest one), and an offset decides how far to walk.
 * Those are planned with their values, each time. What is left is as many texts as the contract has ways to
 * sort; orders by several keys are the client's own invention and without number.
 */
function isSteady(query: ListQuery, scope: Scope): boolean {
  return Object.keys(scope).length === 0 && isPlain(query) && query.sort.length <= 2 && query.limit <= maxLimit;
}

/**
 * The rows of one owner in the order they were made in, which the index on (owner, created_at, id) has, few or many.
 * Without a number PostgreSQL takes a tenth of them to be wanted, which is right here: against reading the first of
 * what an index has in order, collecting and sorting all of an owner never seems cheaper, whatever the average is.
 */
function isInOrderOfOwner(query: ListQuery, scope: Scope): boolean {
  const [first, second, ...more] = query.sort;
  const inOrder = first?.property === "createdAt" && second?.property === "id" && more.length === 0;
  return Object.keys(scope).length === 1 && isPlain(query) && inOrder && first.descending === second.descending;
}

function isPlain(query: ListQuery): boolean {
  return query.filters.length === 0 && query.q === undefined && !skips(query);
}

function skips({ page }: ListQuery): boolean {
  return page !== undefined && page > 1;
}

function conditionsOf(source: ListSource, query: ListQuery, scope: Scope, values: unknown[]): string[] {
  const conditions = source.softDelete && !query.includeDeleted ? ["deleted_at is null"] : [];
  for (const [property, value] of Object.entries(scope)) {
    const { sql, encode } = column(source, property);
    conditions.push(`${sql} = ${bind(values, encode(value))}`);
  }
  for (const filter of query.filters) conditions.push(filterSql(column(source, filter.property), filter, values));
  if (query.q !== undefined) conditions.push(searchSql(source, query.q, values));
  return conditions;
}

/** `ilike` would find the same; an index of lower-case texts finds it whatever letters they are made of. */
function searchSql(source: ListSource, q: string, values: unknown[]): string {
  const pattern = `lower(${bind(values, `%${q.replace(/[\\%_]/g, "\\$&")}%`)})`;
  const searched = source.searchable.map((property) => column(source, property).sql);
  if (source.searchTable === undefined)
    return `(${searched.map((sql) => `lower(${sql}) like ${pattern}`).join(" or ")})`;
  const found = searched.map((sql) => `${sql} like ${pattern}`).join(" or ");
  return `id in (select id from "${source.searchTable}" where ${found})`;
}

const operators = { min: ">=", max: "<=", after: ">", before: "<" } as const;

function filterSql(
  { sql, kind, type, encode }: Column,
  { comparison, values: wanted }: Filter,
  values: unknown[],
): string {
  if (comparison !== "in") return `${sql} ${operators[comparison]} ${bind(values, encode(wanted[0]), type)}`;
  if (kind === "array") return `${sql} && ${bind(values, wanted, type)}`;
  // Of one value an index on (column, created_at, id) gives the rows in their order; of several it cannot.
  if (wanted.length === 1) return `${sql} = ${bind(values, encode(wanted[0]), type)}`;
  return `${sql} = any(${bind(values, wanted.map(encode), type && `${type}[]`)})`;
}

/**
 * Rows after a position. Keys that run one way are one row comparison: there an index scan can begin. Where the
 * direction turns, the comparison up to there lets equals in, and the keys behind decide among those.
 */
function keyset(source: ListSource, sort: readonly SortKey[], after: readonly unknown[], values: unknown[]): string {
  const [first] = sort as [SortKey];
  const turn = sort.findIndex(({ descending }) => descending !== first.descending);
  const run = (turn === -1 ? sort : sort.slice(0, turn)).map(({ property }) => column(source, property));
  const position = run.map(({ type }, index) => bind(values, after[index], type));
  const compared = (operator: string) =>
    `(${run.map(({ sql }) => sql).join(", ")}) ${operator} (${position.join(", ")})`;
  const beyond = first.descending ? "<" : ">";
  if (turn === -1) return compared(beyond);
  const among = keyset(source, sort.slice(turn), after.slice(turn), values);
  return `${compared(`${beyond}=`)} and (${compared(beyond)} or ${among})`;
}

function column(source: ListSource, property: string): Column {
  const found = source.columns.get(property);
  if (found === undefined) throw new Error(`Table ${source.table} has no column for property "${property}".`);
  return found;
}

function bind(values: unknown[], value: unknown, type?: string): string {
  values.push(value);
  return `$${values.length}${type === undefined ? "" : `::${type}`}`;
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`;
}
