// Learns what other processes changed, by looking at the marks.
//
// A look costs one small statement, and is made when somebody wants to be served from the cache: nothing runs
// while nobody asks. What is known counts for `knownForMs` from the moment the look began, on this process's own
// clock; a clock that jumped makes it count for nothing. So what was committed a second ago is seen, whatever
// becomes of messages, and however far the clocks of two processes are apart.

import type { Clock } from "../base/index.ts";
import type { Queryable } from "../data/index.ts";
import { readMarks } from "./marks.ts";
import type { Tags } from "./tags.ts";

/** How long after a look its knowledge may be served from. */
export const knownForMs = 1_000;
/** After this the next look is made beside the answer, so that nobody has to wait for it. */
const lookAgainMs = 500;
/** A database that takes longer than this is not waited for: a load has a deadline of its own. */
const lookMsMax = 500;

export interface Follower {
  /** Looks if what is known is too old; answers whether it is known now. Never rejects: without the database nothing is. */
  catchUp(): Promise<boolean> | boolean;
  /** Looks, at a moment after the call. When that fails everything is forgotten instead. Never rejects. */
  look(): Promise<void>;
  /** The writer itself has dealt with the mark of this transaction. */
  settled(xid: number): void;
  /** The database, and the number below which every transaction is over and known; undefined before the first look. */
  known(): Known | undefined;
}

export interface Known {
  readonly database: string;
  readonly below: number;
}

export interface FollowerOptions {
  db: Queryable;
  tags: Tags;
  clock: Clock;
}

interface State extends FollowerOptions {
  /** The `xmin` of the last look. */
  since: number | undefined;
  database: string;
  lookedAtMs: number;
  looking: Promise<void> | undefined;
  /** Transactions from `since` on whose marks were dealt with: the next look finds them again. */
  dealtWith: Set<number>;
}

export function createFollower(options: FollowerOptions): Follower {
  const state: State = {
    ...options,
    since: undefined,
    database: "",
    lookedAtMs: -Infinity,
    looking: undefined,
    dealtWith: new Set(),
  };
  return {
    catchUp() {
      const ageMs = ageOf(state);
      if (ageMs < 0 || ageMs >= knownForMs) return catchUp(state);
      if (ageMs >= lookAgainMs) share(state).catch(() => {});
      return true;
    },
    async look() {
      // Who never looked has served nothing from memory, and looks before it does.
      if (state.since === undefined && state.looking === undefined) return state.tags.invalidateAll(0);
      await state.looking?.catch(() => {});
      await share(state).catch(() => {
        state.lookedAtMs = -Infinity;
        state.tags.invalidateAll(0);
      });
    },
    settled: (xid) => void state.dealtWith.add(xid),
    known: () => (state.since === undefined ? undefined : { database: state.database, below: state.since }),
  };
}

async function catchUp(state: State): Promise<boolean> {
  const enough = new AbortController();
  const tooLong = state.clock.sleep(lookMsMax, enough.signal);
  await Promise.race([share(state).catch(() => {}), tooLong]);
  enough.abort();
  const ageMs = ageOf(state);
  return ageMs >= 0 && ageMs < knownForMs;
}

function ageOf({ clock, lookedAtMs }: State): number {
  return clock.nowMs() - lookedAtMs;
}

/** One look at a time: who comes while one is under way, waits for it. */
function share(state: State): Promise<void> {
  state.looking ??= lookOnce(state).finally(() => (state.looking = undefined));
  return state.looking;
}

async function lookOnce(state: State): Promise<void> {
  const { db, tags, since } = state;
  const startedAtMs = state.clock.nowMs();
  const { database, xmin, prunedBelow, marks } = await readMarks(db, since);
  // Marks that came and went since the last look, or a database that was set back.
  const missedSome = since === undefined || prunedBelow > since || xmin < since || marks === undefined;
  const readAll = marks !== undefined && !(xmin < (since ?? 0));
  if (missedSome) tags.invalidateAll(readAll ? prunedBelow : xmin);
  for (const mark of marks ?? []) {
    if (missedSome || !state.dealtWith.has(mark.xid)) tags.invalidate(mark.tags, mark.xid);
    state.dealtWith.add(mark.xid);
  }
  for (const xid of state.dealtWith) if (xid < xmin) state.dealtWith.delete(xid);
  state.database = database;
  state.since = xmin;
  state.lookedAtMs = startedAtMs;
}
