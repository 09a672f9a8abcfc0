// What may be answered from a cache, as data, and the tags that tie it to what is written.
//
// A tag names something that an answer depends on. Reads of a resource get theirs from its contract, and so do
// writes: the row, the lists, and the lists of one owner, whose rows do not change those of another.

import type { Resource } from "./resource.ts";

export interface CacheSpec {
  /** How long an answer is kept that no write has taken back. */
  readonly ttlMs: number;
  /** Beyond `ttlMs` it is served for so long while one read renews it. Default: 0. */
  readonly staleMs?: number;
  /** How long it is kept that there is no such row (404). Default: not at all. */
  readonly negativeMs?: number;
}

/** The cache of an operation of a service's own, which says itself what its answer depends on. */
export interface OperationCacheSpec extends CacheSpec {
  /** Resources, any row of which it may show; and tags that other operations name in `invalidates`. */
  readonly dependsOn: readonly (Resource | string)[];
}

/** What a read of one row depends on. */
export function rowTag({ name }: Resource, id: string): string {
  return `${name} ${id}`;
}

/** What a list depends on: the rows of one owner, or all of them. */
export function listTag({ plural }: Resource, owner?: string): string {
  return owner === undefined ? plural : `${plural} of ${owner}`;
}

/** What every read of a resource depends on, of whichever rows. */
export function everyTag({ name }: Resource): string {
  return `every ${name}`;
}

/** Rows that changed: each with its id and owner, twice if it changed that; or more of them than one wants to name. */
export type ChangedRows = readonly Readonly<Record<string, unknown>>[] | "all";

/** What a change makes worthless. */
export function changedTags(resource: Resource, rows: ChangedRows): string[] {
  if (rows === "all") return [everyTag(resource)];
  const { owner } = resource.spec;
  const tags = rows.flatMap((row) => [
    rowTag(resource, String(row.id)),
    ...(owner === undefined ? [] : [listTag(resource, ownerOf(resource, row))]),
  ]);
  return [...new Set([listTag(resource), ...tags])];
}

function ownerOf({ name, spec }: Resource, row: Readonly<Record<string, unknown>>): string {
  const owner = row[spec.owner as string];
  if (typeof owner === "string") return owner;
  throw new Error(
    `A ${name} changed, and it is not said whose it is: the lists of its owner would stay as they were. Give "${String(spec.owner)}" with its id.`,
  );
}

/** A tag with the parameters of the path in it: `popular {country}`. */
export function filledTag(tag: string, params: Readonly<Record<string, string>>): string {
  return tag.replace(/\{(\w+)\}/g, (_, name: string) => params[name]!);
}

/** The resources whose changes somebody may have cached. */
export function cachedResources(
  resources: readonly Resource[],
  operations: Iterable<{ readonly cache: CacheSpec | OperationCacheSpec | undefined }>,
): Set<string> {
  const named = [...operations].flatMap(({ cache }) =>
    cache !== undefined && "dependsOn" in cache ? cache.dependsOn : [],
  );
  const cached = resources.filter(({ spec }) => spec.cache !== undefined);
  return new Set([...cached, ...named].flatMap((one) => (typeof one === "string" ? [] : [one.name])));
}
