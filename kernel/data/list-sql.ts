// The SQL of a list: filters, keyset or offset, order. Pure text and values, built per request from
// columns that were checked against the contract; client text only ever travels as a parameter.

import type { Filter, ListQuery, SortKey } from "../contract/index.ts";
import type { Column } from "./columns.ts";

export interface ListSource {
  table: string;
  columns: ReadonlyMap<string, Column>;
  selected: string;
  searchable: readonly string[];
  softDelete: boolean;
}

/** Equality that the caller's rights or the address impose, beside what the client asked for. */
export type Scope = Readonly<Record<string, unknown>>;

export interface Statement {
  text: string;
  values: unknown[];
}

export function listSql(
  source: ListSource,
  query: ListQuery,
  scope: Scope,
  after: readonly unknown[] | undefined,
): Statement {
  const values: unknown[] = [];
  const conditions = conditionsOf(source, query, scope, values);
  if (after !== undefined) conditions.push(keyset(source, query.sort, after, values));
  const order = query.sort.map(
    ({ property, descending }) => `${column(source, property).sql} ${descending ? "desc" : "asc"}`,
  );
  const offset = query.page === undefined ? "" : ` offset ${bind(values, (query.page - 1) * query.limit)}::bigint`;
  return {
    text: `select ${source.selected} from ${source.table}${where(conditions)} order by ${order.join(", ")} limit ${bind(values, query.limit + 1)}::int${offset}`,
    values,
  };
}

export function countSql(source: ListSource, query: ListQuery, scope: Scope): Statement {
  const values: unknown[] = [];
  return {
    text: `select count(*)::int8 as total from ${source.table}${where(conditionsOf(source, query, scope, values))}`,
    values,
  };
}

function conditionsOf(source: ListSource, query: ListQuery, scope: Scope, values: unknown[]): string[] {
  const conditions = source.softDelete && !query.includeDeleted ? ["deleted_at is null"] : [];
  for (const [property, value] of Object.entries(scope)) {
    const { sql, encode } = column(source, property);
    conditions.push(`${sql} = ${bind(values, encode(value))}`);
  }
  for (const filter of query.filters) conditions.push(filterSql(column(source, filter.property), filter, values));
  if (query.q !== undefined) {
    const pattern = bind(values, `%${query.q.replace(/[\\%_]/g, "\\$&")}%`);
    conditions.push(
      `(${source.searchable.map((property) => `${column(source, property).sql} ilike ${pattern}`).join(" or ")})`,
    );
  }
  return conditions;
}

const operators = { min: ">=", max: "<=", after: ">", before: "<" } as const;

function filterSql(
  { sql, kind, type, encode }: Column,
  { comparison, values: wanted }: Filter,
  values: unknown[],
): string {
  if (comparison !== "in") return `${sql} ${operators[comparison]} ${bind(values, encode(wanted[0]))}::${type}`;
  if (kind === "array") return `${sql} && ${bind(values, wanted)}::text[]`;
  // One value and several are the same statement, so both use one plan.
  return `${sql} = any(${bind(values, wanted.map(encode))}::${type}[])`;
}

/** Rows after a position: a row comparison where all keys run one way, since an index serves that best. */
function keyset(source: ListSource, sort: readonly SortKey[], after: readonly unknown[], values: unknown[]): string {
  const keys = sort.map(({ property, descending }, index) => {
    const { sql, type } = column(source, property);
    return { sql, operator: descending ? "<" : ">", value: `${bind(values, after[index])}::${type}` };
  });
  if (keys.every(({ operator }) => operator === keys[0]!.operator)) {
    return `(${keys.map(({ sql }) => sql).join(", ")}) ${keys[0]!.operator} (${keys.map(({ value }) => value).join(", ")})`;
  }
  const alternatives = keys.map((key, index) =>
    [
      ...keys.slice(0, index).map(({ sql, value }) => `${sql} = ${value}`),
      `${key.sql} ${key.operator} ${key.value}`,
    ].join(" and "),
  );
  return `(${alternatives.map((one) => `(${one})`).join(" or ")})`;
}

function column(source: ListSource, property: string): Column {
  const found = source.columns.get(property);
  if (found === undefined) throw new Error(`Table ${source.table} has no column for property "${property}".`);
  return found;
}

function bind(values: unknown[], value: unknown): string {
  values.push(value);
  return `$${values.length}`;
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`;
}
