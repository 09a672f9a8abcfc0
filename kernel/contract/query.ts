// The query grammar of lists: filters, ranges, sort, fields, text, page and cursor.
//
// The grammar of a resource is built once at start; reading a request's query is table look-ups.
// Nothing is coerced: a value must be written the one way its type is written.

import type { Detail } from "./errors.ts";
import { type Resource, restorersOf } from "./resource.ts";
import { type Fields, kindOf, schemaOf, type TSchema } from "./schema.ts";
import { compileValidator, type Validate } from "./validate.ts";
import type { Shape } from "./version.ts";

export type QueryParameters = ReadonlyMap<string, readonly string[]>;
export type Comparison = "in" | "min" | "max" | "after" | "before";

export interface Filter {
  property: string;
  comparison: Comparison;
  values: (string | number | boolean)[];
}

export interface SortKey {
  property: string;
  descending: boolean;
}

/** What a list was asked for, in the names of the newest shape. */
export interface ListQuery {
  filters: Filter[];
  sort: SortKey[];
  q: string | undefined;
  limit: number;
  /** Absent when a cursor was sent. */
  page: number | undefined;
  cursor: string | undefined;
  /** Properties the answer is narrowed to, in the names the client used. */
  fields: string[] | undefined;
  includeDeleted: boolean;
}

export const defaultLimit = 20;
export const maxLimit = 100;
export const maxPage = 2_147_483_647;
export const maxTextLength = 200;
export const maxFilterValues = 100;

interface Parameter {
  property: string;
  comparison: Comparison;
  kind: string;
  /** One value of the parameter, for documents. */
  schema: TSchema;
  validate: Validate;
}

export interface Grammar {
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly sortKeys: ReadonlyMap<string, string>;
  readonly fields: ReadonlySet<string>;
  readonly searchable: boolean;
  /** Deleted rows may be asked for. */
  readonly restorable: boolean;
}

/** The grammar of a list of `resource` as one version of the API shows it. */
export function grammarOf(resource: Resource, shape: Shape): Grammar {
  const properties = schemaOf(shape.representation).properties as unknown as Fields;
  const filterable = new Set<string>(["createdAt", ...(resource.spec.filterable ?? []).map(String)]);
  const sortable = new Set<string>(["createdAt", "id", ...(resource.spec.sortable ?? []).map(String)]);
  const parameters = new Map<string, Parameter>();
  const sortKeys = new Map<string, string>();
  for (const [name, schema] of Object.entries(properties)) {
    const property = shape.newestName(name);
    if (filterable.has(property)) addParameters(parameters, name, property, schema);
    if (sortable.has(property)) sortKeys.set(name, property);
  }
  return {
    parameters,
    sortKeys,
    fields: new Set(Object.keys(properties)),
    searchable: (resource.spec.searchable ?? []).length > 0,
    restorable: restorersOf(resource) !== undefined,
  };
}

/** The grammar of a list that only has pages: nothing to filter or sort by. */
export const pagesOnly: Grammar = {
  parameters: new Map(),
  sortKeys: new Map(),
  fields: new Set(),
  searchable: false,
  restorable: false,
};

function addParameters(parameters: Map<string, Parameter>, name: string, property: string, schema: TSchema): void {
  const kind = kindOf(schema);
  const add = (parameter: string, comparison: Comparison, valueSchema: TSchema) => {
    const plain = plainValue(valueSchema);
    parameters.set(parameter, { property, comparison, kind, schema: plain, validate: compileValidator(plain) });
  };
  if (kind === "number" || kind === "money") {
    add(`${name}Min`, "min", schema);
    add(`${name}Max`, "max", schema);
  } else if (kind === "moment" || kind === "day") {
    const stem = name.replace(/At$/, "");
    add(`${stem}After`, "after", schema);
    add(`${stem}Before`, "before", schema);
  } else if (kind === "array") {
    add(name, "in", schemaOf(schema).items as TSchema);
  } else {
    add(name, "in", schema);
  }
}

/** The schema of one filter value: never null, and a range may lie outside what the property may hold. */
function plainValue(schema: TSchema): TSchema {
  const { default: _default, minimum: _minimum, maximum: _maximum, minLength: _minLength, ...plain } = schemaOf(schema);
  const type = Array.isArray(plain.type) ? plain.type.find((one) => one !== "null") : plain.type;
  return { ...plain, type, ...(plain.enum ? { enum: plain.enum.filter((value) => value !== null) } : {}) };
}

/** Reads a query; every mistake is named. `version` is the business of routing and is passed over. */
export function readListQuery(grammar: Grammar, query: QueryParameters): { list: ListQuery; details: Detail[] } {
  const details: Detail[] = [];
  const list: ListQuery = {
    filters: [],
    sort: [],
    q: undefined,
    limit: defaultLimit,
    page: undefined,
    cursor: undefined,
    fields: undefined,
    includeDeleted: false,
  };
  for (const [name, values] of query) {
    const refuse = (message: string) => void details.push({ field: name, message });
    const value = values[0]!;
    if (values.length > 1) refuse("may be given only once");
    else readParameter(grammar, list, name, value, refuse);
  }
  checkDeletedAt(list, details);
  if (list.cursor !== undefined && list.page !== undefined)
    details.push({ field: "page", message: "cannot be combined with cursor" });
  if (list.cursor === undefined && list.page === undefined) list.page = 1;
  completeSort(list.sort);
  return { list, details };
}

function readParameter(
  grammar: Grammar,
  list: ListQuery,
  name: string,
  value: string,
  refuse: (message: string) => void,
): void {
  switch (name) {
    case "version":
      return;
    case "limit":
      return readInteger(value, 1, maxLimit, refuse, (limit) => (list.limit = limit));
    case "page":
      return readInteger(value, 1, maxPage, refuse, (page) => (list.page = page));
    case "cursor":
      list.cursor = value;
      return;
    case "sort":
      return readSort(grammar, value, list.sort, refuse);
    case "fields":
      list.fields = readFields(grammar, value, refuse);
      return;
  }
  if (name === "q" && grammar.searchable) {
    if (value === "" || [...value].length > maxTextLength) refuse(`must have 1 to ${maxTextLength} characters`);
    else list.q = value;
    return;
  }
  if (name === "includeDeleted" && grammar.restorable) {
    list.includeDeleted = readFlag(value, refuse);
    return;
  }
  const parameter = grammar.parameters.get(name);
  if (parameter === undefined) return refuse("is not a known parameter");
  readFilter(parameter, value, list.filters, refuse);
}

function readInteger(
  value: string,
  min: number,
  max: number,
  refuse: (message: string) => void,
  accept: (value: number) => void,
): void {
  const number = /^(0|[1-9]\d{0,9})$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) accept(number);
  else refuse(`must be an integer from ${min} to ${max}`);
}

function readFlag(value: string, refuse: (message: string) => void): boolean {
  if (value !== "true" && value !== "false") refuse('must be "true" or "false"');
  return value === "true";
}

function readFilter(
  { property, comparison, kind, validate }: Parameter,
  value: string,
  filters: Filter[],
  refuse: (message: string) => void,
): void {
  const texts = comparison === "in" ? value.split(",") : [value];
  if (texts.length > maxFilterValues) return refuse(`may have at most ${maxFilterValues} values`);
  const values = [];
  for (const text of texts) {
    const read = readValue(kind, text);
    const wrong = read === undefined || text === "" ? "must be a value of the right form" : validate(read)[0]?.message;
    if (wrong !== undefined) return refuse(wrong);
    values.push(read!);
  }
  filters.push({ property, comparison, values });
}

/** Reads one value of a parameter strictly; undefined when it is not written as its type is. */
export function readValue(kind: string, text: string): string | number | boolean | undefined {
  if (kind === "number" || kind === "money")
    return /^-?(0|[1-9]\d{0,14})(\.\d{1,6})?$/.test(text) ? Number(text) : undefined;
  if (kind === "flag") return text === "true" ? true : text === "false" ? false : undefined;
  if (kind === "moment" && /^\d{4}-\d{2}-\d{2}$/.test(text)) return `${text}T00:00:00Z`;
  return text;
}

function readSort(grammar: Grammar, value: string, sort: SortKey[], refuse: (message: string) => void): void {
  for (const key of value.split(",")) {
    // A literal `+` in a query arrives as a space; both mean ascending, as does nothing.
    const [, sign, name] = /^([-+ ]?)(.*)$/s.exec(key)!;
    const property = grammar.sortKeys.get(name!);
    if (property === undefined) return refuse(name === "" ? "has an empty key" : "has an unknown key");
    if (sort.some((one) => one.property === property)) return refuse("has the same key twice");
    sort.push({ property, descending: sign === "-" });
  }
}

function readFields(grammar: Grammar, value: string, refuse: (message: string) => void): string[] | undefined {
  const names = value.split(",");
  const unknown = names.some((name) => !grammar.fields.has(name) && !(name === "deletedAt" && grammar.restorable));
  if (unknown) refuse("has an unknown field");
  else if (new Set(names).size !== names.length) refuse("has the same field twice");
  return unknown ? undefined : names;
}

/** Newest first when nothing was asked for; the id always breaks ties, in the direction of the last key. */
function completeSort(sort: SortKey[]): void {
  if (sort.length === 0) sort.push({ property: "createdAt", descending: true });
  if (!sort.some((key) => key.property === "id")) sort.push({ property: "id", descending: sort.at(-1)!.descending });
}

/** `deletedAt` is there for who asked for deleted rows. */
function checkDeletedAt(
  { fields, includeDeleted }: Pick<ListQuery, "fields" | "includeDeleted">,
  details: Detail[],
): void {
  if (fields?.includes("deletedAt") && !includeDeleted)
    details.push({ field: "fields", message: "has deletedAt, which is there with includeDeleted=true only" });
}

/** Reads `fields` of a single resource. */
export function readItemQuery(
  grammar: Grammar,
  query: QueryParameters,
): { fields: string[] | undefined; includeDeleted: boolean; details: Detail[] } {
  const details: Detail[] = [];
  let fields: string[] | undefined;
  let includeDeleted = false;
  for (const [name, values] of query) {
    const refuse = (message: string) => void details.push({ field: name, message });
    if (values.length > 1) refuse("may be given only once");
    else if (name === "fields") fields = readFields(grammar, values[0]!, refuse);
    else if (name === "includeDeleted" && grammar.restorable) includeDeleted = readFlag(values[0]!, refuse);
    else if (name !== "version") refuse("is not a known parameter");
  }
  checkDeletedAt({ fields, includeDeleted }, details);
  return { fields, includeDeleted, details };
}
