// Compares the migrated tables with the contract and names every difference.
//
// The contract decides which SQL is made, the migrations which tables there are. Where the two have
// drifted apart the first request would fail in the middle of a business day; this fails at the start.

import {
  isNullable,
  type Resource,
  schemaOf,
  snakeCase,
  type TSchema,
  type ValueKind,
  kindOf,
} from "../contract/index.ts";
import {
  columnDefinition,
  columnType,
  indexDefinition,
  indexName,
  type Quote,
  tableDefinition,
} from "./definitions.ts";
import type { Queryable } from "./queryable.ts";

/** What PostgreSQL may call a column that holds values of a kind. */
const typesOf: Record<ValueKind, readonly string[]> = {
  text: ["text", "character varying", "character"],
  number: ["integer", "bigint", "smallint", "numeric", "double precision", "real"],
  money: ["numeric"],
  flag: ["boolean"],
  id: ["uuid"],
  moment: ["timestamp with time zone"],
  day: ["date"],
  array: ["ARRAY"],
  json: ["jsonb", "json"],
};

interface TableColumn extends Record<string, unknown> {
  name: string;
  type: string;
  nullable: boolean;
  filled: boolean;
  /** Of text: the characters it holds. */
  length: number | null;
  /** Of numbers: digits, those behind the point among them. Of integers these are bits. */
  digits: number | null;
  decimals: number | null;
}

/** Every way in which the tables of these resources are not what the contract needs, one sentence each. */
export async function findDrift(db: Queryable, resources: readonly Resource[]): Promise<string[]> {
  const { rows } = await db.query<{ word: string }>("select word from pg_get_keywords() where catcode in ('R', 'T')");
  const reserved = new Set(rows.map(({ word }) => word));
  const quote: Quote = (name) => (reserved.has(name) ? `"${name}"` : name);
  const findings = await Promise.all(resources.map((resource) => driftOf(db, resource, quote)));
  return findings.flat();
}

async function driftOf(db: Queryable, resource: Resource, quote: Quote): Promise<string[]> {
  const columns = await columnsOfTable(db, resource.table);
  if (columns.size === 0)
    return [
      `Table ${resource.table} of resource ${resource.name} does not exist. This would make it:\n\n${tableDefinition(resource, quote)}\n`,
    ];
  const wanted = new Map(Object.entries(resource.columns).map(([property, schema]) => [snakeCase(property), schema]));
  const findings = [...wanted].flatMap(([name, schema]) =>
    driftOfColumn(`${resource.table}.${name}`, columns.get(name), schema, () => columnDefinition(name, schema, quote)),
  );
  for (const { name, nullable, filled } of columns.values()) {
    if (!nullable && !filled && !wanted.has(name))
      findings.push(
        `${resource.table}.${name} must be filled, and the contract does not know it. Give it a default, let it be null, or declare it in "private"`,
      );
  }
  return [...findings, ...(await missingIndexes(db, resource, quote)), ...(await driftOfSearchTable(db, resource))];
}

async function driftOfSearchTable(db: Queryable, { name, spec }: Resource): Promise<string[]> {
  const { searchTable, searchable = [] } = spec;
  if (searchTable === undefined) return [];
  const columns = await columnsOfTable(db, searchTable);
  const missing = ["id", ...searchable.map((property) => snakeCase(String(property)))].filter(
    (one) => !columns.has(one),
  );
  return missing.map((column) => `${searchTable}.${column} is missing, and ${name} is searched there`);
}

function driftOfColumn(
  place: string,
  column: TableColumn | undefined,
  schema: TSchema,
  definition: () => string,
): string[] {
  if (column === undefined) return [`${place} is missing: ${definition()}`];
  const kind = kindOf(schema);
  if (!typesOf[kind].includes(column.type))
    return [`${place} is ${column.type}, and the contract needs ${columnType(schema)}`];
  const findings: string[] = [];
  const limit = tooSmall(column, schema);
  if (limit !== undefined) findings.push(`${place} ${limit}`);
  if (!column.nullable && isNullable(schema)) findings.push(`${place} is not null, and the contract says nullable`);
  if (column.nullable && !isNullable(schema)) findings.push(`${place} may be null, and the contract says it never is`);
  return findings;
}

/** Why a column cannot hold every value that the contract accepts: the first such value would be a 500. */
function tooSmall(column: TableColumn, schema: TSchema): string | undefined {
  const kind = kindOf(schema);
  if (kind === "text") return tooShort(column, schema);
  return kind === "number" || kind === "money" ? tooNarrow(column, schema) : undefined;
}

function tooShort({ type, length }: TableColumn, schema: TSchema): string | undefined {
  const { maxLength, minLength, format, enum: values = [] } = schemaOf(schema);
  if (type === "character" && format !== "currency" && minLength !== length)
    return "is filled up with spaces: make it varchar or text";
  const longest = Number(maxLength ?? Math.max(0, ...values.map((value) => String(value).length)));
  return length !== null && length < longest
    ? `holds ${length} characters, and the contract allows ${longest}`
    : undefined;
}

const largestInteger: Readonly<Record<string, number>> = { smallint: 32_767, integer: 2_147_483_647 };

function tooNarrow({ type, digits, decimals }: TableColumn, schema: TSchema): string | undefined {
  const { minimum = 0, maximum = 0, format } = schemaOf(schema);
  if (format === "money" && decimals !== null && decimals < 2)
    return `has no room for two decimals: make it ${columnType(schema)}`;
  const integer = largestInteger[type];
  const highest = integer ?? (type === "numeric" ? largestDecimal(digits, decimals) : Infinity);
  const lowest = integer === undefined ? -highest : -integer - 1;
  if (maximum > highest) return `holds numbers up to ${highest}, and the contract allows ${maximum}`;
  return minimum < lowest ? `holds numbers from ${lowest}, and the contract allows ${minimum}` : undefined;
}

/** Nines, as many as there is room for; without limit when the column has none. */
function largestDecimal(digits: number | null, decimals: number | null): number {
  return digits === null ? Infinity : Number(`${"9".repeat(digits - decimals!)}.${"9".repeat(decimals!)}`);
}

async function missingIndexes(db: Queryable, resource: Resource, quote: Quote): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `select c.relname as name from pg_index as i join pg_class as c on c.oid = i.indexrelid
     where i.indrelid = to_regclass(quote_ident($1)) and i.indisunique`,
    [resource.table],
  );
  const present = new Set(rows.map(({ name }) => name));
  return (resource.spec.unique ?? [])
    .map((properties) => properties.map(String))
    .filter((properties) => !present.has(indexName(resource.table, properties)))
    .map(
      (properties) =>
        `${resource.table} has no unique index named ${indexName(resource.table, properties)}: ${indexDefinition(resource, properties, quote)}`,
    );
}

async function columnsOfTable(db: Queryable, table: string): Promise<Map<string, TableColumn>> {
  const { rows } = await db.query<TableColumn>(
    `select column_name as name, data_type as type, is_nullable = 'YES' as nullable, column_default is not null as filled,
       character_maximum_length::int as length, numeric_precision::int as digits, numeric_scale::int as decimals
     from information_schema.columns where table_schema = 'public' and table_name = $1`,
    [table],
  );
  return new Map(rows.map((row) => [row.name, row]));
}
