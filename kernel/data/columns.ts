// How the properties of a resource become columns and back.

import { decodeId, idEncoder } from "../base/index.ts";
import { kindOf, type Resource, schemaOf, snakeCase, type TSchema, type ValueKind } from "../contract/index.ts";

export interface Column {
  readonly property: string;
  /** Quoted for SQL. */
  readonly sql: string;
  readonly kind: ValueKind;
  /** The type a parameter is cast to; undefined where the column's own type is to decide. */
  readonly type: string | undefined;
  encode(value: unknown): unknown;
  /** From what a statement of the table answers, where JSON is text. */
  decode(value: unknown): unknown;
  /** The same as JSON. */
  write(value: unknown): string;
}

// A cast that makes PostgreSQL convert the column instead of the parameter keeps it from using an index.
const types: Record<ValueKind, string | undefined> = {
  // text, varchar and char(n) are each compared by operators of their own.
  text: undefined,
  number: "numeric",
  money: "numeric",
  flag: "boolean",
  id: "uuid",
  moment: "timestamptz",
  day: "date",
  array: "text[]",
  json: "jsonb",
};

export function columnsOf(resource: Resource): ReadonlyMap<string, Column> {
  return new Map(Object.entries(resource.columns).map(([property, schema]) => [property, columnOf(property, schema)]));
}

/** Its name in a row. */
export function unquoted({ sql }: Column): string {
  return sql.slice(1, -1);
}

function columnOf(property: string, schema: TSchema): Column {
  const kind = kindOf(schema);
  // Wide enough for a filter beyond what the column may hold, and of one family with integer and smallint.
  const type = [schemaOf(schema).type].flat().includes("integer") ? "bigint" : types[kind];
  const base = { property, sql: `"${snakeCase(property)}"`, kind, type };
  if (kind === "id") {
    const prefix = schemaOf(schema)["x-id-prefix"]!;
    const encodeId = idEncoder(prefix);
    return {
      ...base,
      // An id that does not decode cannot name a row; the nil uuid names none either.
      encode: (value) =>
        value === null ? null : (decodeId(prefix, String(value)) ?? "00000000-0000-0000-0000-000000000000"),
      decode: (value) => (value === null ? null : encodeId(String(value))),
      write: (value) => (value === null ? "null" : `"${encodeId(String(value))}"`),
    };
  }
  if (kind === "json")
    return {
      ...base,
      encode: (value) => (value === null ? null : JSON.stringify(value)),
      decode: (value) => (value === null ? null : JSON.parse(String(value))),
      // PostgreSQL has seen that it is JSON, and no reader sees that its spaces are PostgreSQL's.
      write: (value) => (value === null ? "null" : String(value)),
    };
  // What PostgreSQL writes for these has nothing to escape.
  const isPlain = kind === "moment" || kind === "day";
  return { ...base, encode: same, decode: same, write: isPlain ? writeQuoted : writeValue };
}

function writeQuoted(value: unknown): string {
  return value === null ? "null" : `"${String(value)}"`;
}

/** Of a number there is nothing to escape, and most of the values of a row are numbers and short texts. */
function writeValue(value: unknown): string {
  return typeof value === "number" && Number.isFinite(value) ? `${value}` : JSON.stringify(value);
}

function same(value: unknown): unknown {
  return value;
}
