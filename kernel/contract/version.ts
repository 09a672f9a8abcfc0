// Versions of the API as declared transformations.
//
// Handlers and tables know the newest shape only. A change says what an older version showed instead
// and how to translate; changes compose, so version 1 of a resource is its newest shape passed through
// every change that came after version 1.

import { answerObject, createBody, deletedAt, replaceBody } from "./bodies.ts";
import { type Resource, restorersOf } from "./resource.ts";
import { type Fields, object, schemaOf, type TSchema } from "./schema.ts";

type Plain = Record<string, unknown>;

export interface Change {
  readonly resource: Resource;
  /** The last version that has the older shape. */
  readonly until: number;
  /** Newest properties the older version does not know. */
  readonly removes: readonly string[];
  /** Properties the older version has in their place. */
  readonly adds: Fields;
  /** Translates an answer down. Gets and gives only properties that are present (`fields` may narrow). */
  readonly toOlder: (newer: Plain) => Plain;
  /** Translates a body up. Gets the properties that were sent or defaulted. */
  readonly toNewer: (older: Plain) => Plain;
  /** Renamed filters and sort keys: older name to newer name. */
  readonly renames?: Readonly<Record<string, string>>;
}

export interface ApiVersion {
  readonly number: number;
  /** When it was or will be deprecated and switched off (RFC 9745, RFC 8594); RFC 3339 timestamps. */
  readonly deprecatedAt?: string;
  readonly sunsetAt?: string;
}

export function change(resource: Resource, spec: Omit<Change, "resource">): Change {
  return { resource, ...spec };
}

/** A resource as one version of the API shows it. */
export interface Shape {
  readonly representation: TSchema;
  /** The representation as answers may hold it: with `deletedAt` for who asked for deleted rows too. */
  readonly answer: TSchema;
  /** The representation as a create answers it: with what is shown once. */
  readonly created: TSchema;
  readonly create: TSchema;
  readonly replace: TSchema;
  /** Which newest property a property, filter or sort key of this version means. */
  readonly newestName: (name: string) => string;
  readonly down: (newest: Plain) => Plain;
  readonly up: (sent: Plain) => Plain;
  /** True when this version shows the newest shape, so that nothing needs translating. */
  readonly newest: boolean;
}

export function shapeOf(resource: Resource, version: number, changes: readonly Change[]): Shape {
  const applicable = changes
    .filter((one) => one.resource.name === resource.name && one.until >= version)
    .toSorted((a, b) => b.until - a.until);
  const representation = reshape(resource.representation, applicable, true);
  return {
    representation,
    created: resource.spec.shownOnce ? withFields(representation, resource.spec.shownOnce) : representation,
    answer: restorersOf(resource) ? withFields(representation, { deletedAt: deletedAt.answered() }) : representation,
    create: reshape(createBody(resource.spec), applicable, false),
    replace: reshape(replaceBody(resource.spec), applicable, false),
    newestName: (name) => applicable.reduceRight((older, one) => one.renames?.[older] ?? older, name),
    down: (newest) => applicable.reduce((value, one) => one.toOlder(value), newest),
    up: (sent) => applicable.reduceRight((value, one) => one.toNewer(value), sent),
    newest: applicable.length === 0,
  };
}

function withFields(representation: TSchema, more: Fields): TSchema {
  return answerObject({ ...(schemaOf(representation).properties as unknown as Fields), ...more });
}

function reshape(schema: TSchema, changes: readonly Change[], answer: boolean): TSchema {
  let fields = { ...schemaOf(schema).properties } as unknown as Fields;
  for (const one of changes) {
    const place = Object.keys(fields).find((name) => one.removes.includes(name));
    if (place === undefined) continue;
    fields = Object.fromEntries(
      Object.entries(fields).flatMap(([name, field]) =>
        name === place ? Object.entries(one.adds) : one.removes.includes(name) ? [] : [[name, field]],
      ),
    );
  }
  return answer ? answerObject(fields) : object(fields);
}
