// What a client gets, compared: statuses, headers, bodies, error codes. Nothing new may surprise it.

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
import { codeDifferences, codesOf, withoutCodes } from "./error-codes.ts";
import { schemaDifferences } from "./schema.ts";

export function answerDifferences(comparison: Comparison, { before, after, place }: Pair): Difference[] {
  const [from, to] = [objectAt(before, "responses"), objectAt(after, "responses")];
  return keysOf(from, to).flatMap((status) => {
    const here = [...place, "responses", status];
    const [was, is] = [from[status], to[status]];
    if (!isObject(is)) return removed(comparison.before, here, status, was as Json);
    if (!isObject(was)) return added(comparison.after, here, status, is);
    const both = { before: was, after: is, place: here };
    // Codes belong to an operation, though answers with the same codes are one part of the document. Those
    // of `default` are the same everywhere.
    const coded = status === "default" ? follow(comparison, both, "codes") : both;
    return [
      ...(isRefusal(status) && coded !== undefined ? codesPerMediaType(comparison, coded) : []),
      ...oneAnswer(comparison, both, isRefusal(status)),
    ];
  });
}

/** `default` holds what is refused before the operation is known. */
function isRefusal(status: string): boolean {
  return status === "default" || /^[45]/.test(status);
}

function removed(document: Json, place: Place, status: string, answer: Json): Difference[] {
  if (!isRefusal(status)) return [breaking(place, "is removed: clients wait for an answer that does not come")];
  const codes = allCodes(document, answer);
  return codes.size > 0
    ? codeDifferences(place, codes, new Set())
    : [breaking(place, "is removed, and what is answered in its place is not known")];
}

function added(document: Json, place: Place, status: string, answer: Json): Difference[] {
  if (status === "304") return [compatible(place, "is new: only a client that sent If-None-Match gets it")];
  if (!isRefusal(status)) return [breaking(place, "is new: clients do not expect this success")];
  const codes = allCodes(document, answer);
  return codes.size > 0
    ? codeDifferences(place, new Set(), codes)
    : [compatible(place, "is new: a client that does not know it takes it for its class (RFC 9110, 15)")];
}

function allCodes(document: Json, answer: Json): ReadonlySet<string> {
  const types = Object.values(objectAt(resolve(document, answer), "content")).filter(isObject);
  return new Set(types.flatMap((type) => [...codesOf(document, objectAt(type, "schema"))]));
}

function codesPerMediaType({ before, after }: Comparison, answer: Pair): Difference[] {
  const [was, is] = [resolve(before, answer.before), resolve(after, answer.after)];
  const [from, to] = [objectAt(was, "content"), objectAt(is, "content")];
  return keysOf(from, to).flatMap((type) =>
    isObject(from[type]) && isObject(to[type])
      ? codeDifferences(
          answer.place,
          codesOf(before, objectAt(from[type], "schema")),
          codesOf(after, objectAt(to[type], "schema")),
        )
      : [],
  );
}

function oneAnswer(comparison: Comparison, answer: Pair, refusal: boolean): Difference[] {
  const pair = follow(comparison, answer, "answer");
  if (pair === undefined) return [];
  return [
    ...headerDifferences(comparison, pair),
    ...mediaTypes(comparison, pair, refusal),
    ...restDifferences(comparison, pair, ["headers", "content"]),
  ];
}

function headerDifferences(comparison: Comparison, pair: Pair): Difference[] {
  const [from, to] = [objectAt(pair.before, "headers"), objectAt(pair.after, "headers")];
  return keysOf(from, to).flatMap((name) => {
    const place = [...pair.place, "headers", name];
    const [was, is] = [from[name], to[name]];
    if (!isObject(is)) return [breaking(place, "is removed: clients that read it get nothing")];
    if (!isObject(was)) return [compatible(place, "is new: clients ignore headers they do not know")];
    const header = follow(comparison, { before: was, after: is, place }, "header");
    if (header === undefined) return [];
    const { before, after } = header;
    const schemas = { before: objectAt(before, "schema"), after: objectAt(after, "schema") };
    return [
      ...schemaDifferences(comparison, { ...schemas, place: [...header.place, "schema"] }, "answer"),
      ...restDifferences(comparison, header, ["schema"]),
    ];
  });
}

function mediaTypes(comparison: Comparison, pair: Pair, refusal: boolean): Difference[] {
  const [from, to] = [objectAt(pair.before, "content"), objectAt(pair.after, "content")];
  return keysOf(from, to).flatMap((type) => {
    const place = [...pair.place, "content", type];
    const [was, is] = [from[type], to[type]];
    if (!isObject(is)) return [breaking(place, "is removed: clients that read it get nothing they know")];
    if (!isObject(was)) return [compatible(place, "is new: it is answered to whoever asks for it")];
    const schemas = { before: schemaOf(comparison.before, was), after: schemaOf(comparison.after, is) };
    return [
      ...schemaDifferences(comparison, { ...schemas, place: [...place, "schema"] }, "answer"),
      ...restDifferences(comparison, { before: was, after: is, place }, ["schema"]),
    ];
  });

  function schemaOf(document: Json, type: Json): Json {
    const schema = objectAt(type, "schema");
    return refusal ? withoutCodes(document, schema) : schema;
  }
}
