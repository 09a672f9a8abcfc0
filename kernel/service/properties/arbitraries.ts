// Values at random: those a schema accepts, and those that are almost so.

import fc from "fast-check";
import type { JsonSchema } from "../../contract/index.ts";

/** Any code point but NUL and the surrogates, which no JSON text of ours may hold. */
export const letters = fc.string({ unit: "binary", maxLength: 40 }).map((text) => text.replaceAll("\0", ""));

const years = { min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true };
export const instants = fc.date(years).map((date) => date.toISOString());

/** What a header may hold. */
export const visible = fc
  .string({ unit: "grapheme-ascii", minLength: 1, maxLength: 30 })
  .map((text) => text.trim() || "x");

/** Values that a schema accepts. */
export function arbitraryOf(of: JsonSchema): fc.Arbitrary<unknown> {
  const types = [of.type].flat();
  const plain = plainOf(
    of,
    types.find((type) => type !== "null")!,
  );
  return types.includes("null") ? fc.option(plain) : plain;
}

function plainOf(of: JsonSchema, type: string): fc.Arbitrary<unknown> {
  const max = Number(of.maxLength ?? 20);
  if (of.enum !== undefined) return fc.constantFrom(...of.enum.filter((value) => value !== null));
  if (of.format === "currency") return fc.constantFrom("EUR", "USD", "JPY", "CHF");
  if (of.format === "date") return instants.map((text) => text.slice(0, 10));
  if (of.format === "date-time") return instants;
  if (of.pattern !== undefined)
    return fc
      .stringMatching(new RegExp(of.pattern))
      .filter((text) => text.length <= Number(of.maxLength ?? text.length));
  switch (type) {
    case "integer":
      return fc.integer({ min: of.minimum ?? 0, max: of.maximum ?? 9 });
    case "number":
      return fc.maxSafeNat().map((minor) => (minor % 1_000_000_000_000_000) / 100);
    case "boolean":
      return fc.boolean();
    case "array": {
      const items = fc.array(arbitraryOf(of.items!), { minLength: Number(of.minItems), maxLength: 4 });
      return of.uniqueItems === true ? items.map((all) => [...new Set(all)]) : items;
    }
    case "object":
      return objectOf(of);
    default:
      return letters.map((text) => [...(text === "" ? "x" : text)].slice(0, max).join(""));
  }
}

export type Body = Record<string, unknown>;

/** Properties with a default are left out now and then; with `partial`, all are. */
export function objectOf(of: JsonSchema, partial = false): fc.Arbitrary<Body> {
  const properties = Object.fromEntries(
    Object.entries(of.properties!).map(([name, property]) => [name, arbitraryOf(property)]),
  );
  return fc.record(properties, { requiredKeys: partial ? [] : (of.required ?? []), noNullPrototype: true });
}

/** An accepted body with one to three values in it replaced, or no such body at all. */
export function almost(accepted: fc.Arbitrary<Body>, names: readonly string[]): fc.Arbitrary<unknown> {
  const strange = [...names, "id", "version", "ownerId", "remark", "deletedAt", "__proto__", "constructor", "x"];
  const wrong = fc.array(fc.tuple(fc.constantFrom(...strange), fc.jsonValue()), { minLength: 1, maxLength: 3 });
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(accepted, wrong).map(([body, values]) => ({ ...body, ...Object.fromEntries(values) })),
    },
    { weight: 1, arbitrary: fc.jsonValue() },
    { weight: 1, arbitrary: fc.string() },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 1 }) },
  );
}
