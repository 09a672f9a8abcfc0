// Cache-aside whose fillings cannot outlive the truth they were read from.
//
// The database stays the record; an entry is what a read found, with the position in the order of invalidations
// from which that read began. A write names tags. Its transaction carries them as a mark, and when it has committed
// they are invalidated, before the writer gets its answer. A read that began before that can neither be stored nor be
// joined by who comes after. See docs/decisions/0010-cache.md.

import type { Clock } from "../base/index.ts";
import type { Queryable, Tx } from "../data/index.ts";
import { createFollower, type Follower, knownForMs } from "./follower.ts";
import { writeMark } from "./marks.ts";
import { createMemoryCache, type MemoryCache } from "./memory.ts";
import { type CacheRule, lifeOf } from "./rule.ts";
import { type Load, type Loaded, loadShared } from "./shared-load.ts";
import type { SharedStore } from "./shared-store.ts";
import { createTags, type Tags } from "./tags.ts";

export interface Cache {
  /**
   * What `load` answers, or answered to an earlier call under the key. However many ask at once, one load runs.
   * Values are copied as JSON. `undefined` means that there is nothing. What only some may see, needs them in the key.
   */
  cached<T>(key: string, rule: CacheRule, load: () => Promise<T | undefined>): Promise<T | undefined>;
  /** The same as it is kept: at once when it is there. The entry is the same object as long as nothing else is kept. */
  entry(key: string, rule: CacheRule, load: () => Promise<unknown>): Entry | Promise<Entry>;
  /** Invalidates when `tx` commits, in every process, and only then. Safe to repeat. */
  invalidate(tx: Tx, tags: readonly string[]): void;
  /** Learns at once what other processes committed, instead of within a second. */
  look(): Promise<void>;
}

/** What is kept under a key: JSON, or that there is nothing. */
export interface Entry {
  readonly json: string | undefined;
  readonly position: number;
  readonly loadedAtMs: number;
}

/** A key and a value of JavaScript text, at two bytes a character; the maps around them, and the head of an answer made of it. */
const entryOverheadBytes = 600;
const entriesMax = 100_000;

/** Memory for the caches of a process. */
export function createEntries(clock: Clock, bytesMax: number): MemoryCache<Entry> {
  const bytesOf = ({ json = "" }: Entry, key: string) => 2 * (key.length + json.length) + entryOverheadBytes;
  return createMemoryCache<Entry>({ clock, maxEntries: entriesMax, bytes: { max: bytesMax, of: bytesOf } });
}

export interface CacheOptions {
  /** The service: its keys are its own in the memory that it shares with others. */
  name: string;
  /** Its database, which holds the marks. */
  db: Queryable;
  entries: MemoryCache<Entry>;
  /** What the processes of the system keep together, behind the memory of each. */
  shared?: SharedStore | undefined;
  clock: Clock;
}

interface Flight {
  readonly position: number;
  readonly startedAtMs: number;
  /** What others had kept may be what it finds. */
  readonly isKnown: boolean;
  readonly loaded: Promise<Entry>;
}

interface State extends CacheOptions {
  tags: Tags;
  follower: Follower;
  flights: Map<string, Flight>;
}

export function createCache(options: CacheOptions): Cache {
  const tags = createTags();
  const follower = createFollower({ ...options, tags });
  const state: State = { ...options, tags, follower, flights: new Map() };
  const marked = new WeakMap<Tx, Set<string>>();
  const entry: Cache["entry"] = (key, rule, load) =>
    read(state, `${options.name} ${key}`, rule, async () => JSON.stringify(await load()));
  return {
    async cached<T>(key: string, rule: CacheRule, load: () => Promise<T | undefined>) {
      const { json } = await entry(key, rule, load);
      return json === undefined ? undefined : (JSON.parse(json) as T);
    },
    entry,
    invalidate(tx, names) {
      const known = marked.get(tx);
      for (const name of names) known?.add(name);
      if (known !== undefined) return;
      const added = new Set(names);
      marked.set(tx, added);
      mark(state, tx, added);
    },
    look: () => follower.look(),
  };
}

function mark({ tags, follower }: State, tx: Tx, named: ReadonlySet<string>): void {
  let xid = 0;
  tx.beforeCommit(async () => {
    xid = await writeMark(tx, [...named]);
  });
  // When nobody can say whether it was committed, the mark tells, as it tells the other processes.
  tx.afterCommit(() => {
    tags.invalidate([...named], xid);
    follower.settled(xid);
  });
}

function read(state: State, key: string, rule: CacheRule, load: Load): Entry | Promise<Entry> {
  const known = state.follower.catchUp();
  if (typeof known === "boolean") return readKnowing(state, key, rule, load, known);
  return known.then((isKnown) => readKnowing(state, key, rule, load, isKnown));
}

function readKnowing(state: State, key: string, rule: CacheRule, load: Load, isKnown: boolean): Entry | Promise<Entry> {
  const entry = state.entries.get(key);
  if (isKnown && entry !== undefined && state.tags.isCurrent(rule.tags, entry.position)) {
    const ageMs = state.clock.nowMs() - entry.loadedAtMs;
    const { freshMs, staleMs } = lifeOf(rule, entry.json) ?? { freshMs: 0, staleMs: 0 };
    if (ageMs >= 0 && ageMs < freshMs) return entry;
    if (ageMs >= freshMs && ageMs < freshMs + staleMs) {
      // Whoever waits for the next load hears of its failure; here the old value was good enough.
      fly(state, key, rule, load, isKnown).catch(() => {});
      return entry;
    }
  }
  return fly(state, key, rule, load, isKnown);
}

/** Joins the load under way, unless something was committed since it began; then it starts another. */
function fly(state: State, key: string, rule: CacheRule, load: Load, isKnown: boolean): Promise<Entry> {
  const flight = state.flights.get(key);
  if (flight !== undefined && mayJoin(state, flight, rule, isKnown)) return flight.loaded;
  const position = state.tags.position();
  const startedAtMs = state.clock.nowMs();
  // Where nothing is known of others, nothing of theirs can be judged.
  const loading: Promise<Loaded> =
    isKnown && state.shared !== undefined
      ? loadShared(state, state.shared, key, rule, load)
      : load().then((json) => ({ json }));
  const loaded = loading.then(({ json, ageMs = state.clock.nowMs() - startedAtMs }) => {
    const entry = { json, position, loadedAtMs: state.clock.nowMs() - ageMs };
    keep(state, key, rule, entry);
    return entry;
  });
  const started: Flight = { position, startedAtMs, isKnown, loaded };
  state.flights.set(key, started);
  const landed = () => {
    if (state.flights.get(key) === started) state.flights.delete(key);
  };
  loaded.then(landed, landed);
  return loaded;
}

function mayJoin({ tags, clock }: State, flight: Flight, { tags: names }: CacheRule, isKnown: boolean): boolean {
  if (!tags.isCurrent(names, flight.position)) return false;
  const ageMs = clock.nowMs() - flight.startedAtMs;
  return isKnown || (!flight.isKnown && ageMs >= 0 && ageMs < knownForMs);
}

function keep({ tags, entries }: State, key: string, rule: CacheRule, entry: Entry): void {
  const life = lifeOf(rule, entry.json);
  if (life !== undefined && tags.isCurrent(rule.tags, entry.position))
    entries.set(key, entry, entry.loadedAtMs + life.freshMs + life.staleMs);
}
