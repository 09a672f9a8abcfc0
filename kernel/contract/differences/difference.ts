// How one document differs from an earlier one, and which of it breaks whoever relies on the earlier one.
//
// Whatever these files do not know counts as breaking: a warning too many costs a look, one too few
// costs somebody's client.

export interface Difference {
  /** `paths["/v1/products"].get.responses[404]`; inside a shared part, the place of that part. */
  readonly place: string;
  readonly breaking: boolean;
  /** What changed and why it breaks or does not. */
  readonly says: string;
}

export type Json = Readonly<Record<string, unknown>>;
export type Place = readonly string[];

/** Two documents that are compared, and what of them was compared already. */
export interface Comparison {
  readonly before: Json;
  readonly after: Json;
  /** Versions past their sunset are promised to nobody. */
  readonly nowMs: number;
  /** Pairs of shared parts. One difference in a part that fifty operations share is said once. */
  readonly seen: Set<string>;
}

export interface Pair {
  readonly before: Json;
  readonly after: Json;
  readonly place: Place;
}

export function compare(before: Json, after: Json, nowMs: number): Comparison {
  return { before, after, nowMs, seen: new Set() };
}

export function breaking(place: Place, says: string): Difference {
  return { place: formatPlace(place), breaking: true, says };
}

export function compatible(place: Place, says: string): Difference {
  return { place: formatPlace(place), breaking: false, says };
}

/** The same said about the same place is said once. */
export function distinct(differences: readonly Difference[]): Difference[] {
  return [...new Map(differences.map((one) => [`${one.place} ${one.says}`, one])).values()];
}

/** Keys that tell people something and mean nothing to a client. */
const wording: ReadonlySet<string> = new Set([
  "$comment",
  "deprecated",
  "description",
  "example",
  "examples",
  "externalDocs",
  "info",
  "summary",
  "tags",
  "title",
]);

/** What differs under keys that the caller does not look at itself. */
export function restDifferences(comparison: Comparison, { before, after, place }: Pair, known: string[]): Difference[] {
  return keysOf(before, after)
    .filter((key) => !known.includes(key) && !sameMeaning(comparison, before[key], after[key]))
    .map((key) =>
      wording.has(key)
        ? compatible([...place, key], "changed: only people read it")
        : breaking([...place, key], `changed, and what it means to clients is not known`),
    );
}

/** Whether two parts mean the same, with references followed. The order of keys means nothing. */
function sameMeaning(comparison: Comparison, before: unknown, after: unknown, open: readonly string[] = []): boolean {
  if (Array.isArray(before) && Array.isArray(after)) {
    return before.length === after.length && before.every((one, i) => sameMeaning(comparison, one, after[i], open));
  }
  if (!isObject(before) || !isObject(after)) return before === after;
  const references = `${referenceOf(before)} ${referenceOf(after)}`;
  if (open.includes(references)) return true;
  const isReference = referenceOf(before) !== undefined || referenceOf(after) !== undefined;
  const [from, to] = [resolve(comparison.before, before), resolve(comparison.after, after)];
  const inside = isReference ? [...open, references] : open;
  return keysOf(from, to).every(
    (key) => key in from === key in to && sameMeaning(comparison, from[key], to[key], inside),
  );
}

/**
 * Both sides behind their references, or undefined when this pair was compared already for the same use
 * (`request` and `answer` are judged differently).
 */
export function follow({ before, after, seen }: Comparison, pair: Pair, use: string): Pair | undefined {
  const [from, to] = [referenceOf(pair.before), referenceOf(pair.after)];
  if (from === undefined && to === undefined) return pair;
  const here = formatPlace(pair.place);
  const key = `${use} ${from ?? here} ${to ?? here}`;
  if (seen.has(key)) return undefined;
  seen.add(key);
  return {
    before: resolve(before, pair.before),
    after: resolve(after, pair.after),
    place: to === undefined ? pair.place : keysOfPointer(to),
  };
}

const hopsMax = 32;

/** A part behind its reference; what people read may stand beside a reference, anything else is kept apart. */
export function resolve(document: Json, part: Json): Json {
  let found = part;
  for (let hop = 0; hop < hopsMax; hop++) {
    const reference = referenceOf(found);
    if (reference === undefined) return found;
    const { $ref: _, ...beside } = found;
    const limits = Object.fromEntries(Object.entries(beside).filter(([key]) => !wording.has(key)));
    const target = keysOfPointer(reference).reduce<unknown>(
      (at, key) => (isObject(at) ? at[key] : undefined),
      document,
    );
    if (!isObject(target)) throw new Error(`The reference ${reference} leads nowhere.`);
    found = Object.keys(limits).length === 0 ? target : { ...target, [`beside ${reference}`]: limits };
  }
  throw new Error(`The reference ${referenceOf(part)} leads to references without end.`);
}

function referenceOf(part: Json): string | undefined {
  return typeof part.$ref === "string" ? part.$ref : undefined;
}

function keysOfPointer(reference: string): string[] {
  if (!reference.startsWith("#/")) throw new Error(`The reference ${reference} leads out of the document.`);
  return reference
    .slice(2)
    .split("/")
    .map((key) => decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~"));
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object under a key; an empty one when there is none. */
export function objectAt(part: Json, key: string): Json {
  const value = part[key];
  return isObject(value) ? value : {};
}

export function keysOf(before: Json, after: Json): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])];
}

/** `paths["/v1/products"].get.responses[404]`: keys that are no names are in brackets. */
export function formatPlace(place: Place): string {
  const keys = place.map((key) =>
    /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : /^\d+$/.test(key) ? `[${key}]` : `[${JSON.stringify(key)}]`,
  );
  return keys.join("").replace(/^\./, "") || "the document";
}
