// What a client sends, compared: parameters and the body. It must keep being accepted.

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
  type Place,
  resolve,
  restDifferences,
} from "./difference.ts";
import { defaultDifferences, requiredDifferences, schemaDifferences } from "./schema.ts";

export function parameterDifferences(comparison: Comparison, { before, after, place }: Pair): Difference[] {
  const [from, to] = [byName(comparison.before, before), byName(comparison.after, after)];
  return [...new Set([...from.keys(), ...to.keys()])].flatMap((name) => {
    const here = [...place, "parameters", name];
    const [sent, sends] = [from.get(name), to.get(name)];
    if (sends === undefined)
      return [breaking(here, "is removed: requests that send it are refused, or it has no effect")];
    if (sent === undefined) return [added(here, resolve(comparison.after, sends))];
    const pair = follow(comparison, { before: sent, after: sends, place: here }, "parameter");
    return pair === undefined ? [] : oneParameter(comparison, pair);
  });
}

/** Parameters by place and name: `query sort`. */
function byName(document: Json, operation: Json): ReadonlyMap<string, Json> {
  const parameters = Array.isArray(operation.parameters) ? operation.parameters.filter(isObject) : [];
  return new Map(
    parameters.map((parameter) => {
      const { in: where, name } = resolve(document, parameter);
      return [`${String(where)} ${String(name)}`, parameter];
    }),
  );
}

function added(place: Place, parameter: Json): Difference {
  return parameter.required === true
    ? breaking(place, "is new and required: requests that leave it out are refused")
    : compatible(place, "is new and may be left out");
}

function oneParameter(comparison: Comparison, pair: Pair): Difference[] {
  const { before, after, place } = pair;
  const [needed, needs] = [before.required === true, after.required === true];
  const schemas = { before: objectAt(before, "schema"), after: objectAt(after, "schema"), place: [...place, "schema"] };
  return [
    ...requiredDifferences(place, needed, needs, "request"),
    ...defaultDifferences(schemas, needed, needs, "request"),
    ...schemaDifferences(comparison, schemas, "request"),
    ...restDifferences(comparison, pair, ["required", "schema"]),
  ];
}

export function bodyDifferences(comparison: Comparison, operation: Pair): Difference[] {
  const place = [...operation.place, "requestBody"];
  const [from, to] = [operation.before.requestBody, operation.after.requestBody];
  if (!isObject(from) && !isObject(to)) return [];
  if (!isObject(to)) return [breaking(place, "is removed: requests that send a body are refused, or it has no effect")];
  if (!isObject(from)) return [added(place, resolve(comparison.after, to))];
  const pair = follow(comparison, { before: from, after: to, place }, "body");
  if (pair === undefined) return [];
  return [
    ...requiredDifferences(pair.place, pair.before.required === true, pair.after.required === true, "request"),
    ...mediaTypes(comparison, pair),
    ...restDifferences(comparison, pair, ["required", "content"]),
  ];
}

function mediaTypes(comparison: Comparison, pair: Pair): Difference[] {
  const [from, to] = [objectAt(pair.before, "content"), objectAt(pair.after, "content")];
  return keysOf(from, to).flatMap((type) => {
    const place = [...pair.place, "content", type];
    const [sent, sends] = [from[type], to[type]];
    if (!isObject(sends)) return [breaking(place, "is removed: bodies of this media type are refused")];
    if (!isObject(sent)) return [compatible(place, "is new")];
    return [
      ...schemaDifferences(
        comparison,
        { before: objectAt(sent, "schema"), after: objectAt(sends, "schema"), place: [...place, "schema"] },
        "request",
      ),
      ...restDifferences(comparison, { before: sent, after: sends, place }, ["schema"]),
    ];
  });
}
