// Schemas as a document shows them: no keyword of ours, every bound stated.

import { type JsonSchema, schemaOf, type TSchema } from "../schema.ts";

/** Text is anything but NUL. Written so that the regular expressions of all languages read it. */
const anyText = "^[^\\x00]*$";
const maxMomentLength = 40;
const maxInt32 = 2_147_483_647;

/** A copy without internal keywords, in which formats only we know are put into standard words. */
export function documented(schema: TSchema | JsonSchema): JsonSchema {
  const { "x-id-prefix": prefix, "x-optional": _optional, ...plain } = schemaOf(schema);
  switch (typeOf(plain)) {
    case "string":
      return documentedText(plain, prefix);
    case "integer":
      return { ...plain, format: fitsInt32(plain) ? "int32" : "int64" };
    case "number":
      return documentedNumber(plain);
    case "array":
      return { ...plain, ...(plain.items && { items: documented(plain.items) }) };
    case "object":
      return { ...plain, properties: mapValues(plain.properties ?? {}, documented) };
    default:
      return plain;
  }
}

function documentedText(plain: JsonSchema, prefix: string | undefined): JsonSchema {
  if (prefix !== undefined) {
    const length = prefix.length + 27;
    return { description: `TypeID with the prefix "${prefix}"`, ...plain, minLength: length, maxLength: length };
  }
  if (plain.format === "currency") {
    const { format: _format, ...rest } = plain;
    return { description: "ISO 4217 currency code", ...rest, minLength: 3, maxLength: 3 };
  }
  if (plain.format === "date-time")
    return { description: "RFC 3339 timestamp in UTC", maxLength: maxMomentLength, ...plain };
  if (plain.format === "date") return { maxLength: 10, ...plain };
  const bare = plain.format === undefined && plain.pattern === undefined && plain.enum === undefined;
  return bare && !("const" in plain) ? { ...plain, pattern: anyText } : plain;
}

/**
 * Money is a number with two decimals at most. `multipleOf: 0.01` would say so to a machine, but most
 * validators test it in binary floating point and refuse 0.07, so the description says it.
 */
function documentedNumber(plain: JsonSchema): JsonSchema {
  if (plain.format !== "money") return { ...plain, format: "double" };
  return { description: "Exact, with at most two decimals", ...plain, format: "double" };
}

/** The type beside null. */
export function typeOf(plain: JsonSchema): string | undefined {
  return Array.isArray(plain.type) ? plain.type.find((name) => name !== "null") : plain.type;
}

function fitsInt32({ minimum, maximum }: JsonSchema): boolean {
  return minimum !== undefined && maximum !== undefined && minimum >= -maxInt32 - 1 && maximum <= maxInt32;
}

/** What a PATCH takes: the same properties, none of them required and none filled in. */
export function partial(body: TSchema): JsonSchema {
  const { required: _required, ...plain } = schemaOf(body);
  return { ...plain, properties: mapValues(plain.properties ?? {}, ({ default: _default, ...property }) => property) };
}

/** `{data, pagination}`: the schema of an item, or undefined when a schema is not a page. */
export function itemOfPage(schema: TSchema): JsonSchema | undefined {
  const { data, pagination } = schemaOf(schema).properties ?? {};
  return pagination === undefined ? undefined : data?.items;
}

export function mapValues<T, U>(values: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}

/** `listUsers` becomes `ListUsers`, `order-lines` becomes `OrderLines`. */
export function pascalCase(name: string): string {
  return name.replace(/(?:^|[-_.])([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
