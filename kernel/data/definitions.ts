// The SQL that makes the table of a resource: what a missing table or column is mended with.

import {
  isNullable,
  kindOf,
  type Resource,
  schemaOf,
  snakeCase,
  type TSchema,
  type ValueKind,
} from "../contract/index.ts";

/** Puts a name that is a word of SQL (`order`, `from`) in double quotes. */
export type Quote = (name: string) => string;

/** A `create table`, with the unique indexes that the resource asks for. */
export function tableDefinition(resource: Resource, quote: Quote): string {
  const columns = Object.entries(resource.columns).map(([name, schema]) => columnDefinition(name, schema, quote));
  const indexes = (resource.spec.unique ?? []).map((names) => indexDefinition(resource, names.map(String), quote));
  return [`create table ${quote(resource.table)} (\n  ${columns.join(",\n  ")}\n);`, ...indexes].join("\n");
}

export function columnDefinition(property: string, schema: TSchema, quote: Quote): string {
  const rule = property === "id" ? " primary key" : isNullable(schema) ? "" : " not null";
  return `${quote(snakeCase(property))} ${columnType(schema)}${rule}`;
}

export function indexDefinition({ table, spec }: Resource, properties: readonly string[], quote: Quote): string {
  const living = spec.softDelete ? " where deleted_at is null" : "";
  const columns = properties.map((property) => quote(snakeCase(property))).join(", ");
  return `create unique index ${indexName(table, properties)} on ${quote(table)} (${columns})${living};`;
}

/** A unique index is found by its name, so that its violation can name the properties. */
export function indexName(table: string, properties: readonly string[]): string {
  return constraintName(table, properties, "key");
}

/** As PostgreSQL itself names a rule of a table; it cuts names at 63 bytes. */
export function constraintName(table: string, properties: readonly string[], end: "key" | "fkey"): string {
  return `${table}_${properties.map(snakeCase).join("_")}_${end}`.slice(0, 63);
}

const longestVarchar = 1_000;
const integerMax = 2_147_483_647;

const types: Record<ValueKind, string> = {
  text: "text",
  number: "integer",
  money: "numeric(15, 2)",
  flag: "boolean",
  id: "uuid",
  moment: "timestamptz",
  day: "date",
  array: "text[]",
  json: "json",
};

/** The type that suits best; others may do (see drift.ts). */
export function columnType(schema: TSchema): string {
  const { format, maxLength, minimum = 0, maximum = 0 } = schemaOf(schema);
  const kind = kindOf(schema);
  if (format === "currency") return "char(3)";
  if (kind === "text" && Number(maxLength) <= longestVarchar) return `varchar(${Number(maxLength)})`;
  if (kind === "number" && (maximum > integerMax || minimum < -integerMax - 1)) return "bigint";
  return types[kind];
}
