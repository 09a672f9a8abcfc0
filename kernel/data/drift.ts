// Compares the migrated tables with the contract and names every difference.
//
// The contract decides which SQL is made, the migrations which tables there are. Where the two have
// drifted apart the first request would fail in the middle of a business day; this fails at the start.

import { isNullable, type Resource, snakeCase, type TSchema, type ValueKind, kindOf } from "../contract/index.ts";
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
}

/** Every way in which the tables of these resources are not what the contract needs, one sentence each. */
export async function findDrift(db: Queryable, resources: readonly Resource[]): Promise<string[]> {
  const findings = await Promise.all(resources.map((resource) => driftOf(db, resource)));
  return findings.flat();
}

async function driftOf(db: Queryable, resource: Resource): Promise<string[]> {
  const columns = await columnsOfTable(db, resource.table);
  if (columns.size === 0) return [`Table ${resource.table} of resource ${resource.name} does not exist`];
  const wanted = new Map(Object.entries(resource.columns).map(([property, schema]) => [snakeCase(property), schema]));
  const findings = [...wanted].flatMap(([name, schema]) =>
    driftOfColumn(`${resource.table}.${name}`, columns.get(name), schema),
  );
  for (const { name, nullable, filled } of columns.values()) {
    if (!nullable && !filled && !wanted.has(name))
      findings.push(`${resource.table}.${name} must be filled, and the contract does not know it`);
  }
  return [...findings, ...(await missingIndexes(db, resource)), ...(await driftOfSearchTable(db, resource))];
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

function driftOfColumn(place: string, column: TableColumn | undefined, schema: TSchema): string[] {
  if (column === undefined) return [`${place} is missing`];
  const kind = kindOf(schema);
  const findings = typesOf[kind].includes(column.type)
    ? []
    : [`${place} is ${column.type}, and the contract says ${kind}`];
  if (!column.nullable && isNullable(schema)) findings.push(`${place} is not null, and the contract says nullable`);
  if (column.nullable && !isNullable(schema)) findings.push(`${place} may be null, and the contract says it never is`);
  return findings;
}

async function missingIndexes(db: Queryable, { table, spec }: Resource): Promise<string[]> {
  const wanted = (spec.unique ?? []).map(
    (properties) => `${table}_${properties.map((name) => snakeCase(String(name))).join("_")}_key`,
  );
  const { rows } = await db.query<{ name: string }>(
    `select c.relname as name from pg_index as i join pg_class as c on c.oid = i.indexrelid
     where i.indrelid = to_regclass(quote_ident($1)) and i.indisunique`,
    [table],
  );
  const present = new Set(rows.map(({ name }) => name));
  return wanted.filter((name) => !present.has(name)).map((name) => `${table} has no unique index named ${name}`);
}

async function columnsOfTable(db: Queryable, table: string): Promise<Map<string, TableColumn>> {
  const { rows } = await db.query<TableColumn>(
    `select column_name as name, data_type as type, is_nullable = 'YES' as nullable, column_default is not null as filled
     from information_schema.columns where table_schema = 'public' and table_name = $1`,
    [table],
  );
  return new Map(rows.map((row) => [row.name, row]));
}
