// Values that a schema refuses, each with the path a client would know it by.

import { isNullable, type JsonSchema, kindOf } from "../../contract/index.ts";

export interface Wrong {
  /** `lines[0].quantity` */
  field: string;
  /** The value of the top-level property with the mistake inside. */
  value: unknown;
}

/** One mistake for each value in `valid`, nested ones included. */
export function wrongValues(schema: JsonSchema, field: string, valid: unknown): Wrong[] {
  const { properties, items } = schema;
  const inside: Wrong[] = [];
  if (properties !== undefined && isObject(valid)) {
    for (const [name, property] of Object.entries(properties)) {
      for (const wrong of wrongValues(property, `${field}.${name}`, valid[name]))
        inside.push({ field: wrong.field, value: { ...valid, [name]: wrong.value } });
    }
    inside.push({ field: `${field}.nonsense`, value: { ...valid, nonsense: 1 } });
  }
  if (items !== undefined && Array.isArray(valid) && valid.length > 0) {
    for (const wrong of wrongValues(items, `${field}[0]`, valid[0]))
      inside.push({ field: wrong.field, value: valid.with(0, wrong.value) });
  }
  if (kindOf(schema) === "array") inside.push({ field: `${field}[0]`, value: [5] });
  return [...wrongOf(schema).map((value) => ({ field, value })), ...inside];
}

/** Every leaf of `valid` wrong at once: the value, and the fields that must be named. */
export function allWrong(schema: JsonSchema, field: string, valid: unknown): { value: unknown; fields: string[] } {
  const { properties, items } = schema;
  if (properties !== undefined && isObject(valid)) {
    const parts = Object.entries(properties).map(
      ([name, property]) => [name, allWrong(property, `${field}.${name}`, valid[name])] as const,
    );
    return {
      value: Object.fromEntries(parts.map(([name, { value }]) => [name, value])),
      fields: parts.flatMap(([, { fields }]) => fields),
    };
  }
  if (items !== undefined && Array.isArray(valid) && valid.length > 0) {
    const first = allWrong(items, `${field}[0]`, valid[0]);
    return { value: [first.value], fields: first.fields };
  }
  return { value: wrongOf(schema)[0], fields: [field] };
}

function wrongOf(schema: JsonSchema): unknown[] {
  // In a merge patch null brings a default back; elsewhere it is no value (see "null is not absence").
  const nothing = isNullable(schema) || "default" in schema ? [] : [null];
  const { minimum, maximum } = schema;
  const bounds = [...(minimum === undefined ? [] : [minimum - 1]), ...(maximum === undefined ? [] : [maximum + 1])];
  switch (kindOf(schema)) {
    case "number":
      return ["17", 1.5, true, [1], {}, ...bounds, ...nothing];
    case "money":
      return ["9.99", 1.234, true, [1], ...bounds, ...nothing];
    case "flag":
      return ["true", 1, 0, ...nothing];
    case "array":
      return [{}, "a,b", 5, ...nothing];
    case "json":
      return [schema.items === undefined ? [] : {}, "text", 5, ...nothing];
    default:
      return [17, true, ["x"], {}, ...wrongTexts(schema), ...nothing];
  }
}

function wrongTexts({ format, enum: values, maxLength, minLength, pattern }: JsonSchema): string[] {
  return [
    ...(format === "date" ? ["2026-02-30", "0000-01-01", "2026-1-1", "2026-01-01T00:00:00Z"] : []),
    ...(format === "date-time"
      ? [
          "yesterday",
          "2026-01-01",
          "2026-01-01T00:00:00",
          "2026-13-01T00:00:00Z",
          "0000-01-01T00:00:00Z",
          "2026-01-01 00:00:00Z",
        ]
      : []),
    ...(format === "email" ? ["nobody", "a@b@c", ""] : []),
    ...(values === undefined ? [] : ["no such value", ""]),
    ...(pattern === undefined ? [] : ["\u2603 does not match"]),
    ...(maxLength === undefined ? [] : ["x".repeat(Number(maxLength) + 1)]),
    ...(minLength === undefined || minLength === 0 ? [] : [""]),
  ];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
