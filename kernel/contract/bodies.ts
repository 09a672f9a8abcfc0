// The bodies that follow from a resource: what clients send to create and replace, and the forms of answers.

import type { ResourceSpec } from "./resource.ts";
import {
  type Fields,
  flag,
  integer,
  type JsonSchema,
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
} from "./schema.ts";

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
