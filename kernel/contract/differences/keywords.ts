// The keywords of JSON Schema that stand for themselves: whether a change lets fewer or more values pass.

import { keysOf, type Json } from "./difference.ts";

/** `unknown`: neither is certain. */
export type Effect = "narrower" | "wider" | "unknown";

export interface Changed {
  keyword: string;
  effect: Effect;
  /** `100 -> 50`. */
  how: string;
}

type Effects = (before: unknown, after: unknown) => Effect | undefined;

const allTypes = ["array", "boolean", "null", "number", "object", "string"];

/** `const` is read as an enum of one. */
const keywords: Readonly<Record<string, Effects>> = {
  type: (before, after) => setEffect(typesOf(before), typesOf(after)),
  minimum: lowerBound(-Infinity),
  exclusiveMinimum: lowerBound(-Infinity),
  minLength: lowerBound(0),
  minItems: lowerBound(0),
  minProperties: lowerBound(0),
  maximum: upperBound,
  exclusiveMaximum: upperBound,
  maxLength: upperBound,
  maxItems: upperBound,
  maxProperties: upperBound,
  uniqueItems: (before, after) => optionEffect(before === true, after === true),
  pattern: ruleEffect,
  multipleOf: ruleEffect,
  format: formatEffect,
};

export const keywordNames = [...Object.keys(keywords), "enum", "const"];

/** The keywords that changed, each by itself: a schema is the sum of its keywords. */
export function changedKeywords(before: Json, after: Json): Changed[] {
  const changed = keysOf(before, after).flatMap((keyword): Changed[] => {
    const effect = keywords[keyword]?.(before[keyword], after[keyword]);
    return effect === undefined
      ? []
      : [{ keyword, effect, how: `${short(before[keyword])} -> ${short(after[keyword])}` }];
  });
  return [...changed, ...changedValues(valuesOf(before), valuesOf(after))];
}

function changedValues(before: ReadonlySet<string> | undefined, after: ReadonlySet<string> | undefined): Changed[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ keyword: "enum", effect: "narrower", how: `nothing -> ${list(after!)}` }];
  if (after === undefined) return [{ keyword: "enum", effect: "wider", how: `${list(before)} -> nothing` }];
  const [gone, added] = [before.difference(after), after.difference(before)];
  return [
    ...(gone.size > 0 ? [{ keyword: "enum", effect: "narrower" as const, how: `without ${list(gone)}` }] : []),
    ...(added.size > 0 ? [{ keyword: "enum", effect: "wider" as const, how: `with ${list(added)}` }] : []),
  ];
}

/** The values that `enum` and `const` together allow, as JSON; undefined when neither says. */
export function valuesOf(schema: Json): ReadonlySet<string> | undefined {
  const listed = Array.isArray(schema.enum) ? new Set(schema.enum.map((value) => JSON.stringify(value))) : undefined;
  if (!("const" in schema)) return listed;
  const only = new Set([JSON.stringify(schema.const)]);
  return listed === undefined ? only : only.intersection(listed);
}

/** The types a schema lets pass; an integer is a number, and is named apart only where a number would be too much. */
function typesOf(type: unknown): ReadonlySet<string> {
  const named = new Set(type === undefined ? allTypes : [type].flat().map(String));
  return named.has("number") ? named.union(new Set(["integer"])) : named;
}

function setEffect(before: ReadonlySet<string>, after: ReadonlySet<string>): Effect | undefined {
  const [fewer, more] = [after.isSubsetOf(before), before.isSubsetOf(after)];
  if (fewer && more) return undefined;
  return fewer ? "narrower" : more ? "wider" : "unknown";
}

function lowerBound(without: number): Effects {
  return (before, after) => boundEffect(before ?? without, after ?? without);
}

function upperBound(before: unknown, after: unknown): Effect | undefined {
  return boundEffect(after ?? Infinity, before ?? Infinity);
}

/** The greater a lower bound, the fewer values pass. */
function boundEffect(before: unknown, after: unknown): Effect | undefined {
  if (before === after) return undefined;
  if (typeof before !== "number" || typeof after !== "number") return "unknown";
  return after > before ? "narrower" : "wider";
}

function optionEffect(before: boolean, after: boolean): Effect | undefined {
  if (before === after) return undefined;
  return after ? "narrower" : "wider";
}

/** A rule that only its presence can be judged by, such as a regular expression. */
function ruleEffect(before: unknown, after: unknown): Effect | undefined {
  if (before === after) return undefined;
  return before === undefined ? "narrower" : after === undefined ? "wider" : "unknown";
}

/** Generated clients choose types by format, so a new one is more than a narrower text. */
function formatEffect(before: unknown, after: unknown): Effect | undefined {
  if (before === after) return undefined;
  if (before === "int64" && after === "int32") return "narrower";
  return after === undefined || (before === "int32" && after === "int64") ? "wider" : "unknown";
}

const textMax = 60;

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > textMax ? `${text.slice(0, textMax)}...` : text;
}

function list(values: ReadonlySet<string>): string {
  return [...values].join(", ");
}
