// A resource: rows that clients see. Declaring one gives its operations, table, events and documents.

import type { Access } from "./access.ts";
import type { CacheSpec } from "./cache.ts";
import { errors } from "./errors.ts";
import { event, type EventType } from "./event.ts";
import type { Action, Operation, RateLimit } from "./operation.ts";
import {
  type Fields,
  flag,
  id,
  integer,
  isNullable,
  isOptional,
  type JsonSchema,
  kindOf,
  list,
  moment,
  nullable,
  object,
  optional,
  schemaOf,
  type Static,
  text,
  type TSchema,
  type TUnsafe,
  type Values,
} from "./schema.ts";

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

/** An object in an answer: every property is there, whatever its default. */
export function answerObject(fields: Fields): TSchema {
  const plain = Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, answered(schema)]));
  return object(plain);
}

/** The schema without its default: what is left out of a request is never left out of an answer. */
export function answered<S extends TSchema>(schema: S): S {
  const { default: _default, ...rest } = schema as S & { default?: unknown };
  return rest as unknown as S;
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

/** "an order", but "a user": a leading u sounds like you. */
function article(name: string, a = "a"): string {
  return /^[aeio]/.test(name) ? `${a}n` : a;
}

function checkSpec(name: string, spec: ResourceSpec<Fields, Fields, Fields>, visible: Fields): void {
  if (!/^[a-z][A-Za-z0-9]*$/.test(name))
    throw new Error(
      `"${name}" cannot be the name of a resource. Write it like creditNote: operations are named after it, such as createCreditNote.`,
    );
  if (!/^(\/[a-z][a-z0-9-]*|\/\{\w+\})*\/[a-z][a-z0-9-]*$/.test(spec.path))
    throw new Error(
      `The path of ${name}, "${spec.path}", is not a collection. Write it like /orders or /users/{userId}/orders.`,
    );
  if (!/^[a-z]{1,20}$/.test(spec.id))
    throw new Error(`"${spec.id}" cannot be the id prefix of ${name}. Use lower-case letters, such as prd.`);
  for (const [, parameter] of spec.path.matchAll(/\{(\w+)\}/g)) {
    if (visible[parameter!] === undefined)
      throw new Error(
        `The path of ${name} has {${parameter}}, which is not a property. Add it to readOnly, as the id of the row above.`,
      );
  }
  const reserved = new Set(["id", "version", "createdAt", "updatedAt", "deletedAt"]);
  const { properties, readOnly, createOnly, shownOnce } = spec;
  const clash = Object.keys({ ...properties, ...readOnly, ...createOnly, ...shownOnce, ...spec.private }).find(
    (property) => reserved.has(property),
  );
  if (clash !== undefined)
    throw new Error(`Resource ${name} declares "${clash}", which every resource has. Choose another name.`);
  if (shownOnce !== undefined && spec.access.bulk !== undefined)
    throw new Error(
      `Resource ${name} shows something once, which a bulk create cannot. Leave "bulk" out of its access.`,
    );
  const owned = Object.values(spec.access).some((access) => access?.includes("owner"));
  if (owned && spec.owner === undefined)
    throw new Error(
      `Resource ${name} grants something to its owner. Say in "owner" which property holds the user's id.`,
    );
  const restorers = typeof spec.softDelete === "object" ? spec.softDelete.restorableBy : [];
  if (restorers.some((grant) => typeof grant !== "object" || !("role" in grant)))
    throw new Error(
      `Who may restore a ${name} is a matter of roles. Write softDelete: { restorableBy: role("admin") }.`,
    );
  if (spec.owner !== undefined && schemaOf(visible[spec.owner] ?? {})["x-id-prefix"] !== "usr")
    throw new Error(
      `The owner of ${name}, "${spec.owner}", is not a property that holds the id of a user. Add ${spec.owner}: id("usr") to readOnly; a create fills it with the caller's.`,
    );
  for (const [property, schema] of Object.entries({ ...visible, ...spec.private })) {
    if (isOptional(schema))
      throw new Error(`Property ${property} of ${name} is optional(). In a resource use nullable() or a default.`);
  }
  checkNamed(name, spec, visible);
}

const uses = {
  filterable: {
    suits: (schema: TSchema) => kindOf(schema) !== "json",
    because: "an object has no single value to compare with",
  },
  sortable: {
    suits: (schema: TSchema) => !isNullable(schema) && !["json", "array"].includes(kindOf(schema)),
    because: "a sort key is a single value that is never null",
  },
  searchable: { suits: (schema: TSchema) => kindOf(schema) === "text", because: "q looks into text" },
  unique: { suits: () => true, because: "" },
} as const;

/** The properties that options name must exist, and be what the option can do something with. */
function checkNamed(name: string, spec: ResourceSpec<Fields, Fields, Fields>, visible: Fields): void {
  for (const [option, { suits, because }] of Object.entries(uses)) {
    for (const property of (spec[option as keyof typeof uses] ?? []).flat()) {
      const schema = visible[property];
      if (schema === undefined)
        throw new Error(
          `"${option}" of resource ${name} names "${property}", and it has no such property. It has ${Object.keys(visible).join(", ")}.`,
        );
      if (!suits(schema)) throw new Error(`"${option}" of resource ${name} cannot have "${property}": ${because}.`);
    }
  }
}

/** Who may see deleted rows and take a deletion back; undefined where nobody may. */
export function restorersOf({ spec }: Resource): Access | undefined {
  return typeof spec.softDelete === "object" ? spec.softDelete.restorableBy : undefined;
}

/** When a row was deleted, or null: in an answer to who asked for deleted rows too, and in a PATCH that restores one. */
export const deletedAt = {
  answered: () =>
    optional(
      answered(nullable(moment({ description: "Only with `includeDeleted`: when the row was deleted, or null" }))),
    ),
  restoring: { type: "null", description: "Takes a deletion back" } as JsonSchema,
};

/** What a client sends to create: writable properties, create-only ones. */
export function createBody(spec: ResourceSpec<Fields, Fields, Fields>): TSchema {
  const open = Object.fromEntries(
    Object.entries(spec.properties).filter(([name]) => spec.writableBy?.[name] === undefined),
  );
  return object({ ...open, ...spec.createOnly });
}

/** What a client sends to create several at once. */
export function bulkBody(item: TSchema): TSchema {
  return object({ items: list(item, { min: 1, max: bulkMax }) });
}

/** What it gets: all of them, in the order they were sent. */
export function bulkAnswer(representation: TSchema): TSchema {
  return object({ data: list(answered(representation), { min: 1, max: bulkMax }) });
}

const bulkMax = 100;

/** What a client sends to replace: writable properties, and the version it saw if it likes. */
export function replaceBody(spec: ResourceSpec<Fields, Fields, Fields>): TSchema {
  return object({ ...spec.properties, version: optional(integer({ min: 1 })) });
}

/** A page of items, as every list answers it. */
export function pageOf<S extends TSchema>(item: S): TUnsafe<Page<Static<S>>> {
  return object({ data: list(item, { max: 100 }), pagination });
}

/** Whether an operation answers a page of items. */
export function isPage(returns: TSchema | undefined): boolean {
  return returns !== undefined && schemaOf(returns).properties?.pagination !== undefined;
}

const pagination = object({
  total: optional(integer({ min: 0 })),
  page: optional(integer({ min: 1 })),
  limit: integer({ min: 1, max: 100 }),
  hasMore: flag(),
  nextCursor: answered(nullable(text({ max: 4096 }))),
});

export type Page<T> = {
  data: T[];
  pagination: { total?: number; page?: number; limit: number; hasMore: boolean; nextCursor: string | null };
};

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll("-", "_");
}

/** The standard operations that a resource's `access` asks for, by their names: createUser, listUsers... */
export function standardOperations(resource: Resource): Record<string, Operation> {
  const { spec, name, plural } = resource;
  const item = `${spec.path}/{id}`;
  const Name = name[0]!.toUpperCase() + name.slice(1);
  const Plural =
    plural[0]!.toUpperCase() + plural.slice(1).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const parents = Object.fromEntries(
    [...spec.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => [parameter!, resource.columns[parameter!]!]),
  );
  const ofItem: Fields = { ...parents, id: id(spec.id) };
  const created = resource.events.created ? [resource.events.created] : [];
  const updated = resource.events.updated ? [resource.events.updated] : [];
  const deleted = resource.events.deleted ? [resource.events.deleted] : [];
  const refersTo = Object.entries({ ...spec.properties, ...spec.readOnly }).some(
    ([, schema]) => kindOf(schema as TSchema) === "id",
  );
  const broken = [...(spec.unique ? [errors.duplicate] : []), ...(refersTo ? [errors.unprocessable] : [])];

  const all: Record<Action, () => [string, Partial<Operation>]> = {
    list: () => [
      `list${Plural}`,
      {
        method: "GET",
        path: spec.path,
        params: parents,
        summary: `List ${plural}`,
        returns: pageOf(resource.representation),
      },
    ],
    create: () => [
      `create${Name}`,
      {
        method: "POST",
        path: spec.path,
        params: parents,
        summary: `Create ${article(name)} ${name}`,
        body: createBody(spec),
        status: 201,
        idempotent: true,
        secret: spec.shownOnce !== undefined,
        emits: created,
        errors: broken,
      },
    ],
    bulk: () => [
      `create${Plural}`,
      {
        method: "POST",
        path: `${spec.path}/bulk`,
        params: parents,
        summary: `Create several ${plural} at once: all of them, or none`,
        body: bulkBody(createBody(spec)),
        returns: bulkAnswer(resource.representation),
        status: 201,
        idempotent: true,
        emits: created,
        errors: broken,
      },
    ],
    get: () => [`get${Name}`, { method: "GET", path: item, params: ofItem, summary: `Read ${article(name)} ${name}` }],
    replace: () => [
      `replace${Name}`,
      {
        method: "PUT",
        path: item,
        params: ofItem,
        summary: `Replace ${article(name)} ${name}`,
        body: replaceBody(spec),
        emits: updated,
        errors: broken,
      },
    ],
    update: () => [
      `update${Name}`,
      {
        method: "PATCH",
        path: item,
        params: ofItem,
        summary: `Change ${article(name)} ${name}`,
        body: replaceBody(spec),
        emits: updated,
        errors: broken,
      },
    ],
    remove: () => [
      `delete${Name}`,
      {
        method: "DELETE",
        path: item,
        params: ofItem,
        summary: `Delete ${article(name)} ${name}`,
        status: 204,
        emits: deleted,
      },
    ],
  };

  const operations: Record<string, Operation> = {};
  for (const [action, access] of Object.entries(spec.access) as [Action, Access][]) {
    const [operationName, own] = all[action]();
    const extra = spec.errors?.[action] ?? [];
    operations[operationName] = {
      method: "GET",
      path: spec.path,
      summary: "",
      params: {},
      query: {},
      body: undefined,
      returns: action === "remove" ? undefined : resource.representation,
      status: 200,
      emits: [],
      idempotent: false,
      secret: false,
      personal: spec.personal ?? false,
      unversioned: false,
      ...own,
      errors: [...(own.errors ?? []), ...extra],
      repeatable: action !== "create" && action !== "bulk" && action !== "update",
      limit: spec.limit?.[action] ?? { class: "default" },
      cache: action === "list" || action === "get" ? spec.cache : undefined,
      invalidates: [],
      resource,
      action,
      access,
    };
  }
  return operations;
}

/**
 * A list of a resource at a second address, such as `/users/{userId}/orders`.
 * Path parameters that name a property narrow the list to rows with that value.
 */
export function listUnder<R extends Resource>(resource: R, path: string, access: Access): Operation {
  const base = Object.values(
    standardOperations({ ...resource, spec: { ...resource.spec, access: { list: access } } }),
  )[0]!;
  const params = Object.fromEntries(
    [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => [parameter!, resource.columns[parameter!]!]),
  );
  return { ...base, path, params, summary: `List ${resource.plural} under ${path.split("/")[1]}` };
}
