// Error codes, compared. They are an enum in an answer, and judged the other way round: a client must cope
// with a code it does not know, since it knows the status, but one that waits for a code waits for ever
// when it is gone.

import { errors } from "../errors.ts";
import {
  breaking,
  compatible,
  type Difference,
  isObject,
  type Json,
  objectAt,
  type Place,
  resolve,
} from "./difference.ts";

/** More is asked of the caller where one of these is new, and less where one is gone. */
const demands = new Set<string>([errors.unauthenticated.code, errors.forbidden.code, errors.preconditionRequired.code]);

export function codeDifferences(place: Place, before: ReadonlySet<string>, after: ReadonlySet<string>): Difference[] {
  return [
    ...[...before.difference(after)].map((code) => removed(place, code)),
    ...[...after.difference(before)].map((code) => added(place, code)),
  ];
}

function removed(place: Place, code: string): Difference {
  if (demands.has(code)) return compatible(place, `${code} is gone: less is asked of the caller`);
  if (code === errors.gone.code) return compatible(place, `${code} is gone: the version stays`);
  return breaking(place, `${code} is gone: clients that handle it get something else in its place`);
}

function added(place: Place, code: string): Difference {
  return demands.has(code)
    ? breaking(place, `${code} is new: requests that were accepted are refused`)
    : compatible(place, `${code} is new: a client that does not know it goes by the status (RFC 9110, 15)`);
}

/** The codes a body may have: in the envelope, or in problem details. */
export function codesOf(document: Json, schema: Json): ReadonlySet<string> {
  const { enum: codes } = codeSchema(document, schema);
  return new Set(Array.isArray(codes) ? codes.map(String) : []);
}

function codeSchema(document: Json, schema: Json): Json {
  const properties = objectAt(resolve(document, schema), "properties");
  const holder = isObject(properties.error) ? objectAt(resolve(document, properties.error), "properties") : properties;
  return resolve(document, objectAt(holder, "code"));
}

/** The same schema with any text as its code, to compare what is beside it. */
export function withoutCodes(document: Json, schema: Json): Json {
  const plain = resolve(document, schema);
  const properties = objectAt(plain, "properties");
  const at = isObject(properties.error) ? "error" : "code";
  if (!isObject(properties[at])) return plain;
  const changed =
    at === "error" ? withoutCodes(document, properties.error as Json) : without(codeSchema(document, schema));
  return { ...plain, properties: { ...properties, [at]: changed } };
}

function without({ enum: _codes, ...rest }: Json): Json {
  return rest;
}
