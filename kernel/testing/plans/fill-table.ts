// Rows for the table of a resource, made from its contract by PostgreSQL itself.
//
// Most values are common and a few are rare, since that is what a planner has to tell apart: `rareEvery` makes
// ten rare rows of twenty thousand.

import { isNullable, type JsonSchema, type Resource, schemaOf, snakeCase, type TSchema } from "../../contract/index.ts";
import type { Queryable } from "../../data/index.ts";

export const rowCount = 20_000;
const rareEvery = 2_000;
const deletedEvery = 20;
/** How many rows elsewhere the ids of a column point to. */
const neighbours = 500;

/** In every text; and only in the rare ones. */
export const commonWord = "Thing";
export const rareWord = "zebra";

/** SQL by column, in place of what follows from the contract; `n` counts the rows. For checks the contract does not know. */
export type Columns = Readonly<Record<string, string>>;

/** Fills the table and lets PostgreSQL look at it, as it does by itself on a table that lives. */
export async function fillTable(db: Queryable, resource: Resource, columns: Columns = {}): Promise<void> {
  const expressions: Record<string, string> = {
    ...Object.fromEntries(
      Object.entries(resource.columns).map(([property, schema]) => [
        snakeCase(property),
        property === "id" ? idOf(resource.spec.id, "n") : inOrder.has(property) ? momentOf("n") : expressionOf(schema),
      ]),
    ),
    ...(resource.spec.softDelete ? { deleted_at: `case when n % ${deletedEvery} = 1 then ${momentOf("n")} end` } : {}),
    ...columns,
  };
  const names = Object.keys(expressions).map((name) => `"${name}"`);
  const table = `"${resource.table}"`;
  await db.query(
    `insert into ${table} (${names.join(", ")}) select ${Object.values(expressions).join(", ")} from generate_series(1, ${rowCount}) as n`,
  );
  const { searchTable } = resource.spec;
  await db.query(`vacuum (analyze) ${table}${searchTable ? `, "${searchTable}"` : ""}`);
}

const inOrder = new Set(["createdAt", "updatedAt"]);
const isRare = `n % ${rareEvery} = 0`;
/** Without relation to the order of creation, as the planner supposes it of any two columns. */
const scattered = "n::bigint * 7919";

function momentOf(minute: string): string {
  return `timestamptz '2026-01-01T00:00:00Z' + (${minute}) * interval '1 minute'`;
}

/** Ids of one prefix are the same wherever they are made, so that a foreign key finds its row. */
function idOf(prefix: string, number: string): string {
  return `md5(${quoted(prefix)} || (${number}))::uuid`;
}

function expressionOf(of: TSchema): string {
  const schema = schemaOf(of);
  const value = plainExpression(schema);
  return isNullable(of) ? `case when n % 10 <> 1 then ${value} end` : value;
}

function plainExpression(schema: JsonSchema): string {
  if (schema.enum !== undefined) return choice(schema.enum.filter((value) => value !== null).map(String));
  if (schema.format === "currency") return choice(["EUR", "USD", "CHF"]);
  if (schema["x-id-prefix"] !== undefined) return idOf(schema["x-id-prefix"], `1 + n % ${neighbours}`);
  switch ([schema.type].flat().find((type) => type !== "null")) {
    case "integer":
    case "number":
      return numberBetween(schema);
    case "boolean":
      return isRare;
    case "string":
      return textOf(schema);
    case "array":
      return schema.items?.type === "string" ? arrayOf(schema.items) : "'[]'";
    default:
      return "'{}'";
  }
}

/** The last one is rare, the others are equally common. */
function choice(values: readonly string[]): string {
  const common = Math.max(values.length - 1, 1);
  return `(array[${values.map(quoted).join(", ")}])[case when ${isRare} then ${values.length} else 1 + n % ${common} end]`;
}

function numberBetween({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema): string {
  const lowest = Math.max(minimum, Math.min(0, maximum));
  return `${lowest} + ${scattered} % ${Math.min(maximum - lowest + 1, rowCount)}`;
}

function textOf({ format, maxLength }: JsonSchema): string {
  if (format === "email") return "'someone' || n || '@example.com'";
  if (format === "date-time") return momentOf(`${scattered} % ${rowCount}`);
  if (format === "date") return `date '2026-01-01' + (${scattered} % 2000)::int`;
  return `left('${commonWord} ' || n || case when ${isRare} then ' ${rareWord}' else '' end, ${Number(maxLength)})`;
}

function arrayOf(items: JsonSchema): string {
  const [common, rare] = items.enum === undefined ? ["common", "rare"] : [items.enum[0], items.enum.at(-1)];
  return `case when ${isRare} then array[${quoted(String(rare))}] else array[${quoted(String(common))}] end`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
