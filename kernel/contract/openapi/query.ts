// Query parameters in the OpenAPI document: the grammar of lists, `fields` of single reads, declared ones.

import type { Reference } from "./components.ts";
import { documented } from "./schema.ts";
import type { AnyOperation } from "../operation.ts";
import { isPage } from "../bodies.ts";
import {
  defaultLimit,
  type Grammar,
  grammarOf,
  maxFilterValues,
  maxLimit,
  maxPage,
  maxTextLength,
  pagesOnly,
} from "../query.ts";
import { type Fields, isOptional, type JsonSchema } from "../schema.ts";
import type { Shape } from "../version.ts";

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: true;
  description: string;
  schema: JsonSchema;
  style?: "form";
  explode?: false;
}

/** Puts a parameter into `components` and refers to it. */
export type Share = (parameter: Parameter, name?: string) => Reference;

export function queryParameters(
  operation: AnyOperation,
  shape: Shape | undefined,
  share: Share,
): (Parameter | Reference)[] {
  const answersPage = isPage(operation.returns);
  const grammar = shape && grammarOf(operation.resource!, shape);
  if (answersPage) return listParameters(grammar ?? pagesOnly, share);
  if (grammar !== undefined && operation.method === "GET")
    return [fieldsParameter(grammar), ...deletedParameter(grammar, share)];
  return Object.entries(operation.query as Fields).map(([name, schema]) => {
    const { description = `The ${name}`, ...plain } = documented(schema);
    return {
      name,
      in: "query",
      ...(isOptional(schema) ? {} : { required: true as const }),
      description,
      schema: plain,
    };
  });
}

function listParameters(grammar: Grammar, share: Share): (Parameter | Reference)[] {
  const integer = (max: number, byDefault: number) => ({
    type: "integer",
    format: "int32",
    minimum: 1,
    maximum: max,
    default: byDefault,
  });
  const cursor = { type: "string", minLength: 1, maxLength: 4096, pattern: "^[\\w.-]+$" };
  return [
    share({
      name: "limit",
      in: "query",
      description: "How many items a page has at most",
      schema: integer(maxLimit, defaultLimit),
    }),
    share({
      name: "page",
      in: "query",
      description: "Which page, counted from 1. Not together with `cursor`",
      schema: integer(maxPage, 1),
    }),
    share({
      name: "cursor",
      in: "query",
      description: "`nextCursor` of the page before. Walks the list without counting it",
      schema: cursor,
    }),
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
  description:
    "Text to look for, anywhere in the texts of an item and without regard to case. Fewer than three letters or digits in a row take longer to find",
  schema: { type: "string", minLength: 1, maxLength: maxTextLength, pattern: "^[^\\x00]*$" },
};

function sortParameter(grammar: Grammar): Parameter {
  const keys = [...grammar.sortKeys.keys()];
  return commaList(
    "sort",
    `Sort keys in order of weight: \`-\` sorts descending, \`+\` or nothing ascending. Each key once, out of ${keys.join(", ")}. Without it the newest come first; the id breaks ties`,
    {
      type: "array",
      items: { type: "string", enum: keys.flatMap((key) => [key, `-${key}`]) },
      minItems: 1,
      maxItems: keys.length,
      uniqueItems: true,
    },
  );
}

function fieldsParameter(grammar: Grammar): Parameter {
  const names = [...grammar.fields, ...(grammar.restorable ? ["deletedAt"] : [])];
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
  if (comparison === "in")
    return commaList(name, meaning, { type: "array", items: plain, minItems: 1, maxItems: maxFilterValues });
  if (kind === "moment") {
    const { format: _format, ...bare } = plain;
    return { name, in: "query", description: meaning, schema: { ...bare, pattern: dayOrMoment } };
  }
  if (kind === "day") return { name, in: "query", description: meaning, schema: plain };
  const max = 999_999_999_999_999;
  return {
    name,
    in: "query",
    description: meaning,
    schema: { ...plain, ...(plain.type === "integer" ? { format: "int64" } : {}), minimum: -max, maximum: max },
  };
}

function deletedParameter({ restorable }: Grammar, share: Share): Reference[] {
  const description =
    "Also what was deleted and not purged yet, for who may restore it; `deletedAt` tells the two apart";
  return restorable
    ? [share({ name: "includeDeleted", in: "query", description, schema: { type: "boolean", default: false } })]
    : [];
}

/** Several values in one parameter: `name=a,b`. */
function commaList(name: string, description: string, schema: JsonSchema): Parameter {
  return {
    name,
    in: "query",
    description: `${description} (separated by commas)`,
    style: "form",
    explode: false,
    schema,
  };
}
