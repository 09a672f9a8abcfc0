// The parameters of an operation in the OpenAPI document: path, query grammar, request headers.

import type { Grant } from "./access.ts";
import type { NamedParts, Reference } from "./openapi-components.ts";
import { documented, itemOfPage, pascalCase } from "./openapi-schema.ts";
import type { AnyOperation } from "./operation.ts";
import { defaultLimit, type Grammar, grammarOf, maxFilterValues, maxLimit, maxPage, maxTextLength, pagesOnly } from "./query.ts";
import { type Fields, isOptional, type JsonSchema } from "./schema.ts";
import type { Shape } from "./version.ts";

interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: true;
  description: string;
  schema: JsonSchema;
  style?: "form";
  explode?: false;
}

/** Everything a client may send beside the body. What many operations share is referred to. */
export function parametersOf(operation: AnyOperation, shape: Shape | undefined, parts: NamedParts): (Parameter | Reference)[] {
  const share: Share = (parameter, name = parameter.name) => parts.refer("", [pascalCase(name)], parameter);
  return [...pathParameters(operation), ...queryParameters(operation, shape, share), ...headerParameters(operation, share)];
}

function pathParameters({ params, access }: AnyOperation): Parameter[] {
  const selves = new Set(access.map((grant: Grant) => (typeof grant === "object" && "self" in grant ? grant.self : undefined)));
  return Object.entries(params as Fields).map(([name, schema]) => {
    const plain = documented(schema);
    const { description = `The ${name} in the path`, ...rest } = plain;
    if (!selves.has(name)) return { name, in: "path", required: true, description, schema: rest };
    const pattern = `^(?:me|${String(plain.pattern).slice(1, -1)})$`;
    return { name, in: "path", required: true, description: `${description}; \`me\` is the caller`, schema: { ...rest, minLength: 2, pattern } };
  });
}

type Share = (parameter: Parameter, name?: string) => Reference;

function queryParameters(operation: AnyOperation, shape: Shape | undefined, share: Share): (Parameter | Reference)[] {
  const isPage = operation.returns !== undefined && itemOfPage(operation.returns) !== undefined;
  const grammar = shape && grammarOf(operation.resource!, shape);
  if (isPage) return listParameters(grammar ?? pagesOnly, share);
  if (grammar !== undefined && operation.method === "GET") return [fieldsParameter(grammar), ...deletedParameter(grammar, share)];
  return Object.entries(operation.query as Fields).map(([name, schema]) => {
    const { description = `The ${name}`, ...plain } = documented(schema);
    return { name, in: "query", ...(isOptional(schema) ? {} : { required: true as const }), description, schema: plain };
  });
}

function listParameters(grammar: Grammar, share: Share): (Parameter | Reference)[] {
  const integer = (max: number, byDefault: number) => ({ type: "integer", format: "int32", minimum: 1, maximum: max, default: byDefault });
  const cursor = { type: "string", minLength: 1, maxLength: 4096, pattern: "^[\\w.-]+$" };
  return [
    share({ name: "limit", in: "query", description: "How many items a page has at most", schema: integer(maxLimit, defaultLimit) }),
    share({ name: "page", in: "query", description: "Which page, counted from 1. Not together with `cursor`", schema: integer(maxPage, 1) }),
    share({ name: "cursor", in: "query", description: "`nextCursor` of the page before. Walks the list without counting it", schema: cursor }),
    ...(grammar.sortKeys.size > 0 ? [sortParameter(grammar)] : []),
    ...(grammar.fields.size > 0 ? [fieldsParameter(grammar)] : []),
    ...[...grammar.parameters].map(([name, parameter]) => filterParameter(name, parameter)),
    ...(grammar.searchable ? [share(searchParameter)] : []),
    ...deletedParameter(grammar, share),
  ];
}

const searchParameter: Parameter = {
  name: "q",
  in: "query",
  description: "Text to look for",
  schema: { type: "string", minLength: 1, maxLength: maxTextLength, pattern: "^[^\\x00]*$" },
};

function sortParameter(grammar: Grammar): Parameter {
  const keys = [...grammar.sortKeys.keys()];
  return commaList("sort", `Sort keys in order of weight: \`-\` sorts descending, \`+\` or nothing ascending. Each key once, out of ${keys.join(", ")}. Without it the newest come first; the id breaks ties`, {
    type: "array",
    items: { type: "string", enum: keys.flatMap((key) => [key, `-${key}`]) },
    minItems: 1,
    maxItems: keys.length,
    uniqueItems: true,
  });
}

function fieldsParameter(grammar: Grammar): Parameter {
  const names = [...grammar.fields];
  return commaList("fields", "Narrows the answer to exactly these properties; without it all are there", {
    type: "array",
    items: { type: "string", enum: names },
    minItems: 1,
    maxItems: names.length,
    uniqueItems: true,
  });
}

const comparisons = {
  in: "Only items with one of these",
  min: "Only items with at least this",
  max: "Only items with at most this",
  after: "Only items later than this; a date means 00:00 UTC",
  before: "Only items earlier than this; a date means 00:00 UTC",
};

const dayOrMoment = "^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2}))?$";

type FilterParameter = Grammar["parameters"] extends ReadonlyMap<string, infer P> ? P : never;

function filterParameter(name: string, { comparison, kind, schema }: FilterParameter): Parameter {
  const { description: _description, ...plain } = documented(schema);
  const meaning = comparisons[comparison];
  if (comparison === "in") return commaList(name, meaning, { type: "array", items: plain, minItems: 1, maxItems: maxFilterValues });
  if (kind === "moment") {
    const { format: _format, ...bare } = plain;
    return { name, in: "query", description: meaning, schema: { ...bare, pattern: dayOrMoment } };
  }
  if (kind === "day") return { name, in: "query", description: meaning, schema: plain };
  const max = 999_999_999_999_999;
  return { name, in: "query", description: meaning, schema: { ...plain, ...(plain.type === "integer" ? { format: "int64" } : {}), minimum: -max, maximum: max } };
}

function deletedParameter({ softDelete }: Grammar, share: Share): Reference[] {
  const description = "Also what was deleted and not purged yet";
  return softDelete ? [share({ name: "includeDeleted", in: "query", description, schema: { type: "boolean", default: false } })] : [];
}

/** Several values in one parameter: `name=a,b`. */
function commaList(name: string, description: string, schema: JsonSchema): Parameter {
  return { name, in: "query", description: `${description} (separated by commas)`, style: "form", explode: false, schema };
}

function headerParameters({ method, action, resource, idempotent, body }: AnyOperation, share: Share): Reference[] {
  const writes = action === "replace" || action === "update" || action === "remove";
  const names: (keyof typeof headers | false)[] = [
    "requestId",
    method === "GET" && "ifNoneMatch",
    writes && (body === undefined && resource?.spec.precondition === "required" ? "ifMatchRequired" : "ifMatch"),
    idempotent && "idempotencyKey",
  ];
  return names.filter((name) => name !== false).map((name) => share(headers[name], name));
}

const entityTags = { type: "string", minLength: 1, maxLength: 1024, pattern: "^[\\x20-\\x7e]+$" };
const ifMatch: Parameter = {
  name: "If-Match",
  in: "header",
  description: "The ETag of the version the change is meant for, or `*`. If another is current: 412",
  schema: entityTags,
};
const headers = {
  requestId: {
    name: "X-Request-Id",
    in: "header",
    description: "A name for the request, echoed and logged. One is made when it is missing or unusual",
    schema: { type: "string", minLength: 1, maxLength: 128, pattern: "^[A-Za-z0-9._-]+$" },
  },
  ifNoneMatch: { name: "If-None-Match", in: "header", description: "The ETag of the copy the client has. If it is still good: 304", schema: entityTags },
  ifMatch,
  ifMatchRequired: { ...ifMatch, required: true },
  idempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description: "Names the intent, so that a repeated request gets the first one's answer for 24 hours",
    schema: { type: "string", minLength: 1, maxLength: 257, pattern: "^[\\x21-\\x7e]+$" },
  },
} as const satisfies Record<string, Parameter>;
