// The vocabulary of shapes: JSON Schema (2020-12) with the types of TypeBox, so that one declaration is the
// TypeScript type, the validator, the column and the documentation. Only its types: the schemas are plain objects, and
// loading the rest of it was a tenth of a start.
//
// Objects are closed: what is not declared is refused, never stripped. A property that a client may
// leave out has a `default`; one that may be empty is `nullable`. There is no third kind of absence.

import type { Static, TSchema, TUnsafe } from "typebox";

export type { Static, TSchema, TUnsafe };
export type Fields = Record<string, TSchema>;
/** The value of a record of schemas, inferred property by property (flat: keeps `tsc` fast). */
export type Values<F extends Fields> = { [K in keyof F]: Static<F[K]> };

type Described<T> = { default?: T; description?: string; examples?: T[] };

function typed<T>(schema: JsonSchema): TUnsafe<T> {
  return schema as unknown as TUnsafe<T>;
}

/** Text of `min`..`max` code points. Round-trips byte for byte: nothing is trimmed or normalised. */
export function text(options: { min?: number; max: number; pattern?: string } & Described<string>) {
  const { min, max, ...rest } = options;
  return typed<string>({
    type: "string",
    ...rest,
    ...(min === undefined ? {} : { minLength: min }),
    maxLength: max,
  });
}

export function email(options: Described<string> = {}) {
  return typed<string>({ type: "string", ...options, format: "email", maxLength: 254 });
}

export function integer(options: { min?: number; max?: number } & Described<number> = {}) {
  const { min = -2_147_483_648, max = 2_147_483_647, ...rest } = options;
  return typed<number>({ type: "integer", ...rest, minimum: min, maximum: max });
}

/** An exact decimal with at most two places: a JSON number outside, `numeric(15,2)` in the database. */
export function money(options: { min?: number; max?: number } & Described<number> = {}) {
  const { min = 0, max = 9_999_999_999_999.99, ...rest } = options;
  return typed<number>({ type: "number", ...rest, format: "money", minimum: min, maximum: max });
}

/** An ISO 4217 code. */
export function currency(options: Described<string> = {}) {
  return typed<string>({ type: "string", ...options, format: "currency", pattern: "^[A-Z]{3}$" });
}

export function flag(options: Described<boolean> = {}) {
  return typed<boolean>({ type: "boolean", ...options });
}

export function oneOf<const T extends string>(values: readonly T[], options: Described<T> = {}) {
  return typed<T>({ ...options, type: "string", enum: [...values] });
}

/** The TypeID of a row elsewhere, with its prefix; `uuid` in the database. */
export function id(prefix: string, options: Described<string> = {}) {
  return typed<string>({
    type: "string",
    ...options,
    pattern: `^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`,
    "x-id-prefix": prefix,
  });
}

/** RFC 3339 in UTC. */
export function moment(options: Described<string> = {}) {
  return typed<string>({ type: "string", ...options, format: "date-time" });
}

/** A day without time: `2026-11-23`. */
export function day(options: Described<string> = {}) {
  return typed<string>({ type: "string", ...options, format: "date" });
}

export function list<S extends TSchema>(
  items: S,
  options: { min?: number; max: number; unique?: boolean; default?: Static<S>[] },
) {
  const { min = 0, max, unique = false, ...rest } = options;
  return typed<Static<S>[]>({
    type: "array",
    items: schemaOf(items),
    ...rest,
    minItems: min,
    maxItems: max,
    ...(unique ? { uniqueItems: true } : {}),
  });
}

/** A closed object; every property without a default must be sent. */
export function object<F extends Fields>(fields: F, options: { description?: string } = {}) {
  const required = Object.keys(fields).filter((name) => !("default" in fields[name]!) && !isOptional(fields[name]!));
  return typed<Values<F>>({
    ...options,
    type: "object",
    properties: fields as unknown as Record<string, JsonSchema>,
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  });
}

/** A property of a request that may be left out, and is then undefined. Not for resources: see `nullable`. */
export function optional<S extends TSchema>(schema: S) {
  return typed<Static<S> | undefined>({ ...schemaOf(schema), [optionalMark]: true });
}

const optionalMark = "x-optional";

export function isOptional(schema: TSchema): boolean {
  return optionalMark in schema;
}

/** The value or null; null is the default, so that leaving it out means null. */
export function nullable<S extends TSchema>(schema: S) {
  const plain = schema as unknown as JsonSchema;
  return typed<Static<S> | null>({
    ...plain,
    type: [plain.type as string, "null"],
    ...(plain.enum ? { enum: [...plain.enum, null] } : {}),
    default: plain.default ?? null,
  });
}

/** The parts of JSON Schema this vocabulary uses, for code that reads a schema. */
export interface JsonSchema {
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  default?: unknown;
  description?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  additionalProperties?: boolean;
  "x-id-prefix"?: string;
  "x-optional"?: boolean;
  [keyword: string]: unknown;
}

export function schemaOf(schema: TSchema): JsonSchema {
  return schema as unknown as JsonSchema;
}

export type ValueKind = "text" | "number" | "money" | "flag" | "id" | "moment" | "day" | "array" | "json";

/** What kind of value a property holds: decides its column, its filters and how a parameter is read. */
export function kindOf(schema: TSchema): ValueKind {
  const plain = schemaOf(schema);
  const type = Array.isArray(plain.type) ? plain.type.find((name) => name !== "null") : plain.type;
  if (type === "integer") return "number";
  if (type === "number") return plain.format === "money" ? "money" : "number";
  if (type === "boolean") return "flag";
  if (type === "array") return plain.items?.type === "string" ? "array" : "json";
  if (type !== "string") return "json";
  if (plain["x-id-prefix"] !== undefined) return "id";
  if (plain.format === "date-time") return "moment";
  return plain.format === "date" ? "day" : "text";
}

export function isNullable(schema: TSchema): boolean {
  return Array.isArray(schemaOf(schema).type);
}
