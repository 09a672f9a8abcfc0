// Two OpenAPI documents of one service, compared operation by operation.

import { accessKey, scopeKey, sunsetKey } from "../openapi/extensions.ts";
import { accessDifferences, securityDifferences } from "./access.ts";
import { answerDifferences } from "./answers.ts";
import {
  breaking,
  compare,
  compatible,
  type Comparison,
  type Difference,
  distinct,
  isObject,
  type Json,
  keysOf,
  objectAt,
  type Pair,
  restDifferences,
} from "./difference.ts";
import { bodyDifferences, parameterDifferences } from "./parameters.ts";

const methods = new Set(["get", "put", "post", "delete", "options", "head", "patch", "trace"]);

/**
 * Every difference with its verdict. A new path breaks nothing, so a new version of the API is compatible; a
 * version that is past its sunset may change and go.
 */
export function openApiDifferences(before: Json, after: Json, nowMs: number): Difference[] {
  const comparison = compare(before, after, nowMs);
  return distinct([
    ...pathDifferences(comparison),
    ...schemeDifferences(comparison),
    ...restDifferences(comparison, { before, after, place: [] }, ["paths", "components", "security"]),
    ...nameDifferences(before, after),
  ]);
}

function pathDifferences(comparison: Comparison): Difference[] {
  const [from, to] = [objectAt(comparison.before, "paths"), objectAt(comparison.after, "paths")];
  return keysOf(from, to).flatMap((path) => {
    const pair = { before: objectAt(from, path), after: objectAt(to, path), place: ["paths", path] };
    return [
      ...keysOf(pair.before, pair.after)
        .filter((key) => methods.has(key))
        .flatMap((method) => operationDifferences(comparison, pair, method)),
      ...restDifferences(comparison, pair, [...methods]),
    ];
  });
}

function operationDifferences(comparison: Comparison, path: Pair, method: string): Difference[] {
  const place = [...path.place, method];
  const [before, after] = [path.before[method], path.after[method]];
  if (!isObject(before)) return [compatible(place, "is new")];
  const sunset = sunsetOf(before);
  const isOver = sunset !== undefined && Date.parse(sunset) <= comparison.nowMs;
  if (!isObject(after))
    return [
      isOver
        ? compatible(place, `is removed, after its sunset on ${sunset}`)
        : breaking(place, sunset === undefined ? "is removed" : `is removed before its sunset on ${sunset}`),
    ];
  const found = [
    ...sunsetDifferences(sunset, sunsetOf(after), [...place, sunsetKey], comparison.nowMs),
    ...oneOperation(comparison, { before, after, place }),
  ];
  return isOver ? found.map((one) => ({ ...one, breaking: false, says: `${one.says} (after its sunset)` })) : found;
}

function sunsetOf(operation: Json): string | undefined {
  const sunset = operation[sunsetKey];
  return typeof sunset === "string" ? sunset : undefined;
}

function sunsetDifferences(
  before: string | undefined,
  after: string | undefined,
  place: string[],
  nowMs: number,
): Difference[] {
  if (before === after) return [];
  if (after === undefined) return [compatible(place, "the version stays")];
  if (before !== undefined && Date.parse(after) < Date.parse(before))
    return [breaking(place, `${before} -> ${after}: switched off earlier than promised`)];
  if (before === undefined && Date.parse(after) <= nowMs)
    return [breaking(place, `${after} is past: the version is switched off without a warning`)];
  return [compatible(place, `switched off on ${after}`)];
}

const comparedElsewhere = [
  "security",
  "parameters",
  "requestBody",
  "responses",
  "operationId",
  accessKey,
  scopeKey,
  sunsetKey,
];

function oneOperation(comparison: Comparison, operation: Pair): Difference[] {
  const { before, after, place } = operation;
  return [
    ...(before.operationId === after.operationId
      ? []
      : [breaking([...place, "operationId"], "changed: generated clients call it by this name")]),
    ...accessDifferences(operation),
    ...securityDifferences(operation, comparison),
    ...parameterDifferences(comparison, operation),
    ...bodyDifferences(comparison, operation),
    ...answerDifferences(comparison, operation),
    ...restDifferences(comparison, operation, comparedElsewhere),
  ];
}

function schemeDifferences(comparison: Comparison): Difference[] {
  const [from, to] = [comparison.before, comparison.after].map((document) =>
    objectAt(objectAt(document, "components"), "securitySchemes"),
  ) as [Json, Json];
  return keysOf(from, to).flatMap((name) => {
    const place = ["components", "securitySchemes", name];
    if (!isObject(to[name]))
      return [breaking(place, "is removed: clients that authenticate in this way cannot any more")];
    if (!isObject(from[name])) return [compatible(place, "is new")];
    return restDifferences(comparison, { before: from[name], after: to[name], place }, []);
  });
}

/** What shared parts are called is nowhere on the wire; their content is compared where it is used. */
function nameDifferences(before: Json, after: Json): Difference[] {
  const [from, to] = [objectAt(before, "components"), objectAt(after, "components")];
  return keysOf(from, to)
    .filter((section) => section !== "securitySchemes")
    .flatMap((section) => {
      const names = Object.keys(objectAt(from, section)).filter((name) => !(name in objectAt(to, section)));
      return names.map((name) => compatible(["components", section, name], "is not a name in the document any more"));
    });
}
