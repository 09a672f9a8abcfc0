// Examples for documents, made from a schema alone: the same schema gives the same example.

import { type JsonSchema, schemaOf, type TSchema } from "../schema.ts";
import { typeOf } from "./schema.ts";

const suffixOfIds = "01h455vb4pex5vsknk084sn02q";
const exampleMoment = "2026-01-15T10:30:00.000Z";
/** Tried in this order where a pattern does not say how to write a value. */
const guesses = ["A-100", "a", "A", "1", "abc", "ABC", "AB-12", "ab-12", "0", "v1", "#a1b2c3", "+4912345678"];

/** A value that the schema accepts, or undefined when none can be guessed (a pattern of its own). */
export function exampleOf(schema: TSchema | JsonSchema, name = "value"): unknown {
  const plain = schemaOf(schema);
  const given = Array.isArray(plain.examples) ? (plain.examples as unknown[])[0] : undefined;
  if (given !== undefined) return given;
  if ("const" in plain) return plain.const;
  if (plain.enum) return plain.enum[0];
  switch (typeOf(plain)) {
    case "string":
      return textExample(plain, name);
    case "integer":
      return within(plain, 1);
    case "number":
      return within(plain, plain.format === "money" ? 99.99 : 1.5);
    case "boolean":
      return false;
    case "array":
      return arrayExample(plain, name);
    case "object":
      return objectExample(plain);
    default:
      return null;
  }
}

function textExample(plain: JsonSchema, name: string): string | null | undefined {
  if (plain["x-id-prefix"] !== undefined) return `${plain["x-id-prefix"]}_${suffixOfIds}`;
  if (plain.format === "email") return "ada@example.com";
  if (plain.format === "date-time") return exampleMoment;
  if (plain.format === "date") return exampleMoment.slice(0, 10);
  if (plain.format === "currency") return "EUR";
  const { minLength = 0, maxLength = Infinity } = plain as { minLength?: number; maxLength?: number };
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const sentence = `${words[0]?.toUpperCase()}${words.slice(1)}`;
  const text = sentence.padEnd(minLength, " of some length").slice(0, maxLength);
  const { pattern } = plain;
  if (pattern === undefined || new RegExp(pattern, "u").test(text)) return text;
  return guesses.find(
    (guess) => guess.length >= minLength && guess.length <= maxLength && new RegExp(pattern, "u").test(guess),
  );
}

function within({ minimum = -Infinity, maximum = Infinity }: JsonSchema, wish: number): number {
  return Math.min(Math.max(wish, minimum), maximum);
}

function arrayExample(plain: JsonSchema, name: string): unknown[] | undefined {
  const item = plain.items && exampleOf(plain.items, name.replace(/s$/, ""));
  const least = Number(plain.minItems ?? 0);
  if (item === undefined || least > 1) return least === 0 ? [] : undefined;
  return [item];
}

function objectExample(plain: JsonSchema): Record<string, unknown> | undefined {
  const example: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(plain.properties ?? {})) {
    const value = exampleOf(property, name);
    if (value !== undefined) example[name] = value;
    else if (plain.required?.includes(name)) return undefined;
  }
  return example;
}
