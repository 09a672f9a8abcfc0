// A resource: rows that clients see. Declaring one gives its operations, table, events and documents.

import type { Access } from "./access.ts";
import { answerObject } from "./bodies.ts";
import type { CacheSpec } from "./cache.ts";
import { checkSpec } from "./check-resource.ts";
import { event, type EventType } from "./event.ts";
import { article, snakeCase } from "./naming.ts";
import type { Action, Operation, RateLimit } from "./operation.ts";
import { type Fields, id, integer, moment, nullable, type TSchema, type Values } from "./schema.ts";

export interface ResourceSpec<P extends Fields, S extends Fields, C extends Fields> {
  /** The collection, which may sit below another: `/users/{userId}/sessions`. */
  path: string;
  /** The prefix of its ids: `prd` for `prd_01h...`. */
  id: string;
  summary?: string;
  /** What clients write and read. */
  properties: P;
  /** What the service owns and clients only read. */
  readOnly?: S;
  /** What only a create takes and no answer ever shows, such as a password. */
  createOnly?: C;
  /** What only the answer of a create shows, such as a new key. It has no column, and the answer is a secret. */
  shownOnce?: Fields;
  /** Columns that never leave the service. */
  private?: Fields;
  /** The table, when it is not the last word of the path. */
  table?: string;
  filterable?: readonly (keyof P | keyof S | "updatedAt")[];
  sortable?: readonly (keyof P | keyof S | "updatedAt")[];
  /** Properties that `q` looks into. */
  searchable?: readonly (keyof P | keyof S)[];
  /**
   * A table that holds the searchable columns in lower case by `id`, kept by a trigger. For rows that often change
   * in other ways: an index of texts in the row's own table is written anew with every change of the row.
   */
  searchTable?: string;
  /** Unique among the living: each becomes a 409 that names its properties. */
  unique?: readonly (readonly (keyof P | keyof S)[])[];
  /** The property that holds the id of the user whose row this is. */
  owner?: keyof P | keyof S;
  /** Who else than any writer may change a property. */
  writableBy?: { readonly [K in keyof P]?: Access };
  /**
   * DELETE keeps the row, out of everybody's sight, until it is purged. Who holds a role of `restorableBy` sees
   * deleted rows with `?includeDeleted=true` and takes a deletion back with `PATCH {"deletedAt": null}`.
   */
  softDelete?: boolean | { restorableBy: Access };
  /** PUT, PATCH and DELETE must name the version they saw. */
  precondition?: "required" | "optional";
  /** Which standard operations there are, and who may. */
  access: { readonly [A in Action]?: Access };
  /** Renames the events of a change, or drops one with `false`. Default: created, updated, deleted. */
  events?: false | { created?: string | false; updated?: string | false; deleted?: string | false };
  /** Extra errors the business answers, by action. */
  errors?: { readonly [A in Action]?: Operation["errors"] };
  /** Needs a person who signed in: API keys are refused. */
  personal?: boolean;
  /** How an action is counted, when it is not once in the class `default`. */
  limit?: { readonly [A in Action]?: RateLimit };
  /** Reads and lists may be answered from memory; every write of a row takes back what it touches when it commits. */
  cache?: CacheSpec;
}

// oxlint-disable-next-line no-explicit-any -- the general resource, whatever its properties
export interface Resource<P extends Fields = any, S extends Fields = any, C extends Fields = any> {
  readonly kind: "resource";
  readonly name: string;
  readonly plural: string;
  readonly spec: ResourceSpec<P, S, C>;
  readonly table: string;
  /** Every column that a row has, by property. */
  readonly columns: Fields;
  readonly representation: TSchema;
  readonly events: { readonly created?: EventType; readonly updated?: EventType; readonly deleted?: EventType };
  readonly "~row"?: Values<P> & Values<S> & Standard;
}

export interface Standard {
  id: string;
  version: number;
  createdAt: string;
  updatedAt: string;
}

/** A row of a resource as handlers see it: ids as TypeIDs, timestamps as text, private columns included. */
export type RowOf<R extends Resource> = NonNullable<R["~row"]> & { [privateColumn: string]: unknown };
/** What a client sees of a row. */
export type Representation<R extends Resource> = NonNullable<R["~row"]>;

export function resource<
  P extends Fields,
  S extends Fields = Record<never, TSchema>,
  C extends Fields = Record<never, TSchema>,
>(name: string, spec: ResourceSpec<P, S, C>): Resource<P, S, C> {
  const plural = spec.path.split("/").at(-1)!;
  const standard = { version: integer({ min: 1 }), createdAt: moment(), updatedAt: moment() };
  const visible: Fields = { id: id(spec.id), ...spec.properties, ...spec.readOnly, ...standard };
  const general = spec as unknown as ResourceSpec<Fields, Fields, Fields>;
  checkSpec(name, general, visible);
  const representation = answerObject(visible);
  const hidden: Fields = spec.softDelete ? { deletedAt: nullable(moment()) } : {};
  return {
    kind: "resource",
    name,
    plural,
    spec,
    table: spec.table ?? snakeCase(plural),
    columns: { ...visible, ...spec.private, ...hidden },
    representation,
    events: eventsOf(name, general, representation),
  };
}

function eventsOf(name: string, spec: ResourceSpec<Fields, Fields, Fields>, data: TSchema): Resource["events"] {
  if (spec.events === false) return {};
  const { create, bulk, replace, update, remove } = spec.access;
  // Without an operation that causes it, an event is declared only when it is named.
  const names = {
    created: (create ?? bulk) ? `${name}.created` : false,
    updated: (replace ?? update) ? `${name}.updated` : false,
    deleted: remove ? `${name}.deleted` : false,
    ...spec.events,
  } as const;
  const declared: Record<string, EventType> = {};
  for (const [change, type] of Object.entries(names)) {
    if (type !== false)
      declared[change] = event(snakeCase(type), {
        aggregate: spec.id,
        summary: `${article(name, "A")} ${name} was ${type.split(".").at(-1)}`,
        data,
      });
  }
  return declared;
}

/** Who may see deleted rows and take a deletion back; undefined where nobody may. */
export function restorersOf({ spec }: Resource): Access | undefined {
  return typeof spec.softDelete === "object" ? spec.softDelete.restorableBy : undefined;
}
