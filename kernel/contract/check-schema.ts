// Whether a schema can be compiled, said without compiling it: a system has hundreds of validators, most of which are
// not asked in the first hour, and a mistake in a contract must not wait for the request that finds it.
//
// What is looked for is what Ajv refuses in its strict mode: keywords and formats it does not know, values a keyword
// cannot have, and keywords for another type than the schema's, which would check nothing.

import type { Ajv2020 as Ajv } from "ajv/dist/2020.js";
import type { JsonSchema } from "./schema.ts";

const types = new Set(["string", "number", "integer", "boolean", "null", "array", "object"]);
const counts = /^(min|max)(Length|Items|Properties|Contains)$/;

/** Throws at the first mistake, with the place where it is: `lines.items.quantity.minimum`. */
export function checkSchema(ajv: Ajv, schema: JsonSchema, place: readonly string[] = []): void {
  if (checked.has(schema)) return;
  const ownTypes = [schema.type ?? []].flat();
  const mistake = (keyword: string, reason: string) =>
    new Error(`The schema has a mistake at ${[...place, keyword].join(".")}: ${reason}.`);
  for (const type of ownTypes) if (!types.has(type)) throw mistake("type", `there is no type "${type}"`);
  for (const [keyword, value] of Object.entries(schema)) {
    if (!(keyword in ajv.RULES.keywords)) throw mistake(keyword, "there is no such keyword");
    const misfit = misfitOf(ajv, ownTypes, keyword) ?? wrongValue(ajv, keyword, value);
    if (misfit !== undefined) throw mistake(keyword, misfit);
  }
  for (const [name, part] of Object.entries({ ...schema.properties })) checkSchema(ajv, part, [...place, name]);
  if (schema.items !== undefined) checkSchema(ajv, schema.items, [...place, "items"]);
  checked.add(schema);
}

const checked = new WeakSet<JsonSchema>();

function misfitOf({ RULES }: Ajv, ownTypes: readonly string[], keyword: string): string | undefined {
  const meant = RULES.rules.filter(({ rules }) => rules.some((rule) => rule.keyword === keyword));
  if (meant.length === 0 || meant.some(({ type }) => type === undefined || isAmong(type, ownTypes))) return undefined;
  return `it is for the type ${meant.map(({ type }) => type).join(" or ")}, which the schema does not have`;
}

function isAmong(type: string, ownTypes: readonly string[]): boolean {
  return ownTypes.includes(type) || (type === "number" && ownTypes.includes("integer"));
}

function wrongValue({ RULES, formats }: Ajv, keyword: string, value: unknown): string | undefined {
  const rule = RULES.all[keyword];
  const { schemaType = [] } = typeof rule === "object" ? rule.definition : {};
  const wanted: readonly string[] = [schemaType].flat();
  if (wanted.length > 0 && !wanted.includes(nameOf(value))) return `it must be ${wanted.join(" or ")}`;
  if (counts.test(keyword) && !(Number.isSafeInteger(value) && Number(value) >= 0))
    return "it must be a whole number from 0";
  if (keyword === "format" && !(String(value) in formats)) return `there is no format "${String(value)}"`;
  return keyword === "pattern" ? reasonAgainst(String(value)) : undefined;
}

function nameOf(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value;
}

function reasonAgainst(pattern: string): string | undefined {
  try {
    "".search(new RegExp(pattern, "u"));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
