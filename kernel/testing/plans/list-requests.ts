// Every kind of list that a contract offers, as requests with real values.
//
// Not every request: filters and sort keys can be combined without end, and no set of indexes serves all of
// that. What is asked for here is what is promised, see docs/decisions/0006-what-lists-cost.md.

import { encodeId } from "../../base/index.ts";
import {
  type AnyOperation,
  type Grammar,
  grammarOf,
  readListQuery,
  type Resource,
  restorersOf,
  schemaOf,
  type ServiceContract,
  shapeOf,
  snakeCase,
} from "../../contract/index.ts";
import type { Queryable, Row, Scope } from "../../data/index.ts";
import { commonWord, rareWord } from "./fill-table.ts";
import type { ListOfTable } from "./sent-statements.ts";

export interface ListRequest extends ListOfTable {
  /** As a client would write it: `/products?currency=EUR`. */
  title: string;
  /** Whether it leaves most of the rows there are: then its count has to read them. */
  leavesMany: boolean;
  /** The index that would serve it: its columns, or how else it is made. */
  remedy: string;
}

interface Ask {
  query: Record<string, string>;
  leavesMany: boolean;
  remedy: string;
}

export async function listRequests(
  db: Queryable,
  contract: ServiceContract,
  operation: AnyOperation,
): Promise<ListRequest[]> {
  const resource = operation.resource!;
  const grammar = grammarOf(resource, shapeOf(resource, contract.versions.at(-1)!.number, contract.changes));
  const middle = await middleRow(db, resource);
  const asks = [...sorts(resource, grammar), ...(await filters(db, resource, grammar)), ...searches(resource)];
  return scopesOf(operation, resource, middle).flatMap((scope) =>
    asks.flatMap((ask) => pagesOf(resource, operation, grammar, scope, ask, middle)),
  );
}

/** The first page, the second, and one from the middle of the table on, by cursor. */
function pagesOf(
  resource: Resource,
  { path }: AnyOperation,
  grammar: Grammar,
  scope: Scope,
  ask: Ask,
  middle: Row,
): ListRequest[] {
  const whose = Object.keys(scope).length === 0 ? "" : ` of one ${Object.keys(scope).map(String).join(" and ")}`;
  const request = (more: Record<string, string>): ListRequest => {
    const asked = Object.entries({ ...ask.query, ...more });
    const { list, details } = readListQuery(grammar, new Map(asked.map(([name, value]) => [name, [value]])));
    if (details.length > 0)
      throw new Error(`${resource.spec.path} refuses ${JSON.stringify(asked)}: ${JSON.stringify(details)}`);
    const after = list.cursor === undefined ? undefined : list.sort.map(({ property }) => middle[snakeCase(property)]);
    const text = asked.map(([name, value]) => `${name}=${value}`).join("&");
    return { ...ask, title: `${path}${text === "" ? "" : `?${text}`}${whose}`, query: list, scope, after };
  };
  const ways: Record<string, string>[] = [{}, { page: "2" }, { cursor: "middle" }];
  return [...ways, ...(restorersOf(resource) === undefined ? [] : [{ includeDeleted: "true" }])].map(request);
}

/** What an address or an owner narrows the list to; without any, and where both may ask, everything too. */
function scopesOf({ path, access }: AnyOperation, { spec, columns }: Resource, middle: Row): Scope[] {
  const valueOf = (property: string) => {
    const prefix = schemaOf(columns[property]!)["x-id-prefix"];
    const value = String(middle[snakeCase(property)]);
    return [property, prefix === undefined ? value : encodeId(prefix, value)] as const;
  };
  const ofPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => valueOf(parameter!));
  const ofOwner = access.includes("owner") ? [valueOf(String(spec.owner))] : [];
  const seesAll = access.some((grant) => grant !== "owner");
  return [...(seesAll ? [ofPath] : []), ...(ofOwner.length > 0 ? [[...ofPath, ...ofOwner]] : [])].map((entries) =>
    Object.fromEntries(entries),
  );
}

function sorts(resource: Resource, { sortKeys }: Grammar): Ask[] {
  const columnsFor = (property: string) => (property === "id" ? "id" : `${snakeCase(property)}, id`);
  const byKey = [...sortKeys].flatMap(([name, property]) =>
    ["", "-"].map((sign) => ({
      query: { sort: `${sign}${name}` },
      leavesMany: true,
      remedy: remedyOf(resource, `(${columnsFor(property)})`),
    })),
  );
  return [{ query: {}, leavesMany: true, remedy: remedyOf(resource, "(created_at, id)") }, ...byKey];
}

/** Each filter alone, in the default order: with a value that most rows have and one that few have. */
async function filters(db: Queryable, resource: Resource, { parameters }: Grammar): Promise<Ask[]> {
  const asks = await Promise.all(
    [...parameters].map(async ([name, { property, comparison, kind }]) => {
      const values = await valuesOf(db, resource, property, comparison, kind === "array");
      const column = snakeCase(property);
      const serving =
        kind === "array"
          ? `using gin (${column})`
          : comparison === "in"
            ? `(${column}, created_at, id)`
            : `(${column}, id)`;
      return (["many", "few"] as const).map((share) => ({
        query: { [name]: values[share] },
        leavesMany: share === "many",
        remedy: remedyOf(resource, serving),
      }));
    }),
  );
  return asks.flat();
}

function searches({ table, spec }: Resource): Ask[] {
  const { searchTable, searchable = [] } = spec;
  const columns = searchable.map((property) => snakeCase(String(property)));
  const searched = columns.map((column) => `${searchTable ? column : `lower(${column})`} gin_trgm_ops`);
  // Not over the living alone: PostgreSQL takes no statistics of an expression from an index over a part.
  const remedy = `create index on ${searchTable ?? table} using gin (${searched.join(", ")})`;
  const words = { [commonWord]: true, [rareWord]: false, nowhere: false };
  return searched.length === 0
    ? []
    : Object.entries(words).map(([q, leavesMany]) => ({ query: { q }, leavesMany, remedy }));
}

/** Where somebody may list the deleted too, one index serves both lists. */
function remedyOf(resource: Resource, serving: string): string {
  const partial = resource.spec.softDelete && restorersOf(resource) === undefined;
  return `create index on ${resource.table} ${serving}${partial ? " where deleted_at is null" : ""}`;
}

async function middleRow(db: Queryable, resource: Resource): Promise<Row> {
  const { rows } = await db.query(
    `select * from "${resource.table}"${living(resource)} order by created_at, id offset (select count(*) / 2 from "${resource.table}"${living(resource)}) limit 1`,
  );
  return rows[0]!;
}

const ranges: Readonly<Record<string, { many: number; few: number }>> = {
  min: { many: 0.5, few: 0.9995 },
  after: { many: 0.5, few: 0.9995 },
  max: { many: 0.5, few: 0.0005 },
  before: { many: 0.5, few: 0.0005 },
};

/** A value that most of the rows pass with, and one that few do, as a client writes them. */
async function valuesOf(
  db: Queryable,
  resource: Resource,
  property: string,
  comparison: string,
  isArray: boolean,
): Promise<{ many: string; few: string }> {
  const column = `"${snakeCase(property)}"`;
  const share = ranges[comparison];
  const each = `select ${isArray ? `unnest(${column})` : column} as value from "${resource.table}"${living(resource)}`;
  const counted = `select value from (${each}) as each where value is not null group by value order by count(*)`;
  const text =
    share === undefined
      ? `select (${counted} desc, value limit 1) as many, (${counted} asc, value limit 1) as few`
      : `select percentile_disc(${share.many}) within group (order by value) as many, percentile_disc(${share.few}) within group (order by value) as few from (${each}) as each`;
  const found = (await db.query(text)).rows[0]!;
  const prefix = schemaOf(resource.columns[property]!)["x-id-prefix"];
  const written = (value: unknown) => (prefix === undefined ? String(value) : encodeId(prefix, String(value)));
  return { many: written(found.many), few: written(found.few) };
}

function living({ spec }: Resource): string {
  return spec.softDelete ? " where deleted_at is null" : "";
}
