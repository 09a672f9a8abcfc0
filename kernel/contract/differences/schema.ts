// Whether a schema that changed breaks clients, which depends on who sends what it describes.
//
// A request may be loosened: everything that was accepted must still be. An answer or an event may be
// tightened: nothing may arrive that was not promised. One thing goes beyond that: an answer may
// have new properties, which clients are asked to ignore.

import AjvModule from "ajv/dist/2020.js";
import {
  breaking,
  compatible,
  type Comparison,
  type Difference,
  follow,
  isObject,
  type Json,
  keysOf,
  objectAt,
  type Pair,
  restDifferences,
} from "./difference.ts";
import { changedKeywords, type Effect, keywordNames, valuesOf } from "./keywords.ts";

/** Who sends: the client in a request, the system in an answer or an event. */
export type Use = "request" | "answer" | "event";

const lookedAt = [...keywordNames, "properties", "required", "additionalProperties", "items", "default"];

export function schemaDifferences(comparison: Comparison, pair: Pair, use: Use): Difference[] {
  const followed = follow(comparison, pair, use);
  if (followed === undefined) return [];
  const { before, after, place } = followed;
  const finite = finiteDifference(followed, use);
  if (finite !== undefined) return [finite];
  return [
    ...changedKeywords(before, after).map(({ keyword, effect, how }) =>
      judge([...place, keyword], `${keyword} ${how}`, effect, use),
    ),
    ...propertyDifferences(comparison, followed, use),
    ...opennessDifferences(comparison, followed, use),
    ...itemDifferences(comparison, followed, use),
    ...restDifferences(comparison, followed, lookedAt),
  ];
}

function judge(place: readonly string[], what: string, effect: Effect, use: Use): Difference {
  if (effect === "unknown") return breaking(place, `${what}: other values pass than before`);
  if (use === "request")
    return effect === "wider"
      ? compatible(place, `${what}: every request that was accepted still is`)
      : breaking(place, `${what}: requests that were accepted are refused`);
  return effect === "narrower"
    ? compatible(place, `${what}: ${use}s keep what was promised`)
    : breaking(place, `${what}: ${use}s may hold what clients do not expect`);
}

const tries = new AjvModule.default({ strict: false, validateFormats: false });

/**
 * Between an enum and a schema without one, each of the few values is tried. Where a format has a say
 * the keywords are compared instead, since what a format refuses is not known here.
 */
function finiteDifference({ before, after, place }: Pair, use: Use): Difference | undefined {
  const [few, schema, effect] =
    use === "request" ? ([before, after, "wider"] as const) : ([after, before, "narrower"] as const);
  const listed = valuesOf(few);
  if (listed === undefined || valuesOf(schema) !== undefined || /"(format|\$ref)":/.test(JSON.stringify(schema)))
    return undefined;
  const accepts = tries.compile(schema as object);
  if (![...listed].every((value) => accepts(JSON.parse(value)))) return undefined;
  return judge(
    place,
    effect === "wider" ? "takes more than the values listed before" : `is one of ${[...listed].join(", ")} now`,
    effect,
    use,
  );
}

function propertyDifferences(comparison: Comparison, { before, after, place }: Pair, use: Use): Difference[] {
  const [from, to] = [objectAt(before, "properties"), objectAt(after, "properties")];
  const [needed, needs] = [requiredOf(before), requiredOf(after)];
  return [...new Set([...keysOf(from, to), ...needed, ...needs])].flatMap((name) => {
    const here = [...place, "properties", name];
    if (name in from && !(name in to)) return [removed(here, use)];
    if (!(name in from) && name in to)
      return [
        added(here, before, needs.has(name), use),
        ...(use === "request" ? [] : requiredDifferences(here, needed.has(name), needs.has(name), use)),
      ];
    const pair = { before: asSchema(from[name]), after: asSchema(to[name]), place: here };
    return [
      ...requiredDifferences(here, needed.has(name), needs.has(name), use),
      ...defaultDifferences(pair, needed.has(name), needs.has(name), use),
      ...schemaDifferences(comparison, pair, use),
    ];
  });
}

function removed(place: readonly string[], use: Use): Difference {
  return use === "request"
    ? breaking(place, "is removed: requests that send it are refused, or it has no effect")
    : breaking(place, `is removed: ${use}s no longer have it`);
}

function added(
  place: readonly string[],
  { additionalProperties: open }: Json,
  isRequired: boolean,
  use: Use,
): Difference {
  if (use === "request") {
    if (isRequired) return breaking(place, "is new and required: requests that leave it out are refused");
    if (open !== false) return breaking(place, "is new, and until now anything passed under this name");
    return compatible(place, "is new and may be left out");
  }
  return isObject(open)
    ? breaking(place, "is new, and until now only what additionalProperties says passed under this name")
    : compatible(place, "is new: clients ignore what they do not know");
}

export function requiredDifferences(place: readonly string[], before: boolean, after: boolean, use: Use): Difference[] {
  if (before === after) return [];
  if (use === "request")
    return [
      after
        ? breaking(place, "is required now: requests that leave it out are refused")
        : compatible(place, "may be left out now"),
    ];
  return [after ? compatible(place, "is always there now") : breaking(place, `may be missing now in ${use}s`)];
}

/** What leaving something out means. Where it had to be sent until now, nobody relies on that. */
export function defaultDifferences(
  { before, after, place }: Pair,
  needed: boolean,
  needs: boolean,
  use: Use,
): Difference[] {
  const [from, to] = [JSON.stringify(before.default), JSON.stringify(after.default)];
  if (from === to || needed || needs) return [];
  if (use !== "request") return [compatible([...place, "default"], `changed: nothing is filled in in ${use}s`)];
  return [
    breaking(
      [...place, "default"],
      `${from ?? "nothing"} -> ${to ?? "nothing"}: leaving it out means something else now`,
    ),
  ];
}

function opennessDifferences(comparison: Comparison, { before, after, place }: Pair, use: Use): Difference[] {
  const here = [...place, "additionalProperties"];
  const [from, to] = [before.additionalProperties ?? true, after.additionalProperties ?? true];
  if (isObject(from) && isObject(to))
    return schemaDifferences(comparison, { before: from, after: to, place: here }, use);
  if (from === to) return [];
  const effect = from === false || to === true ? "wider" : from === true || to === false ? "narrower" : "unknown";
  return [judge(here, "which properties may be there beside the named ones changed", effect, use)];
}

function itemDifferences(comparison: Comparison, { before, after, place }: Pair, use: Use): Difference[] {
  if (!("items" in before || "items" in after)) return [];
  const pair = { before: asSchema(before.items), after: asSchema(after.items), place: [...place, "items"] };
  return schemaDifferences(comparison, pair, use);
}

function requiredOf({ required }: Json): ReadonlySet<string> {
  return new Set(Array.isArray(required) ? required.map(String) : []);
}

/** A schema may also be true (anything) or false (nothing), and be left out, which is anything. */
function asSchema(schema: unknown): Json {
  if (isObject(schema)) return schema;
  return schema === false ? { not: {} } : {};
}
