// Readers and writers in several processes, and the one promise that is held against what every reader got:
// nothing older than what its own process has acknowledged, or any process more than a second ago.

import type { Tx } from "../../data/index.ts";
import { type Row, World } from "./world.ts";

/** A cache as one process uses it. */
export interface Subject {
  read(key: string, tags: readonly string[], load: () => Promise<unknown>): Promise<unknown>;
  /** Within a transaction. */
  changing(tx: Tx, tags: readonly string[]): void;
  /** After a commit and before its acknowledgement. */
  changed(keys: readonly string[]): Promise<void>;
  /** Before an answer is given that another process may have committed. */
  look(): Promise<void>;
}

export interface Tally {
  steps: number;
  reads: number;
  loads: number;
  commits: number;
  stale: string[];
}

const keys = ["a", "b", "c", "d"];
const everything = "all";
const tagOf = (key: string) => `row ${key}`;
const boundMs = 1_000;
const waitingMax = 60;

interface Process {
  subject: Subject;
  /** The version of each row that this process has told somebody. */
  told: Map<string, number>;
}

export interface PlayOptions {
  seed: number;
  steps: number;
  processes: number;
  subjectOf: (world: World, index: number) => Subject;
  /** Lets everything that can go on, go on until it waits at a hop. */
  settled: () => Promise<void>;
}

export async function play({ seed, steps, processes, subjectOf, settled }: PlayOptions): Promise<Tally> {
  const world = new World(seed, keys);
  const tally: Tally = { steps, reads: 0, loads: 0, commits: 0, stale: [] };
  const all: Process[] = Array.from({ length: processes }, (_, index) => ({
    subject: subjectOf(world, index),
    told: new Map(),
  }));
  const acknowledged: { key: string; version: number; atMs: number }[] = [];
  const known = new Map<string, number>();

  const mustSee = (process: Process, key: string) => Math.max(process.told.get(key) ?? 0, known.get(key) ?? 0);
  const acknowledge = (process: Process, versions: ReadonlyMap<string, number>) => {
    for (const [key, version] of versions) {
      process.told.set(key, Math.max(process.told.get(key) ?? 0, version));
      acknowledged.push({ key, version, atMs: world.nowMs });
    }
  };
  /** What was acknowledged a second ago, everybody must see. */
  const passTime = (ms: number) => {
    world.nowMs += ms;
    while (acknowledged.length > 0 && acknowledged[0]!.atMs <= world.nowMs - boundMs) {
      const { key, version } = acknowledged.shift()!;
      known.set(key, Math.max(known.get(key) ?? 0, version));
    }
  };

  const load = async (wanted: readonly string[]) => {
    tally.loads++;
    await world.hop();
    const rows = wanted.map((key) => world.newest(key));
    await world.hop();
    if (world.chance(25) === 0) throw new Error("The load failed");
    return wanted.length > 1 ? rows : rows[0]!.gone ? undefined : rows[0];
  };

  const reader = async (process: Process) => {
    const one = world.chance(3) > 0;
    const wanted = one ? [keys[world.chance(keys.length)]!] : keys;
    const least = wanted.map((key) => mustSee(process, key));
    const got = await process.subject
      .read(one ? wanted[0]! : everything, one ? [tagOf(wanted[0]!)] : ["rows"], () => load(wanted))
      .catch((error: unknown) => error);
    if (got instanceof Error) return;
    tally.reads++;
    const rows = one ? [got as Row | undefined] : (got as Row[]);
    for (const [index, key] of wanted.entries())
      if (!isRecent(world, key, rows[index], least[index]!))
        tally.stale.push(`${key}: ${JSON.stringify(rows[index])} after version ${least[index]} was acknowledged`);
  };

  const writer = async (process: Process) => {
    const free = keys.filter((key) => !world.isLocked(key));
    const written = free.filter(() => world.chance(2) === 0);
    if (written.length === 0) return;
    const { outcome, versions } = await world.transaction(written, (tx) =>
      process.subject.changing(tx, ["rows", ...written.map(tagOf)]),
    );
    if (outcome === "committed") {
      tally.commits++;
      await process.subject.changed(written);
      acknowledge(process, versions);
    }
    if (outcome === "unknown") {
      // The client asks again, and any process finds in the database what was recorded with the commit, or nothing.
      await world.hop();
      const found = new Map(written.map((key) => [key, world.newest(key).version]));
      const other = all[world.chance(all.length)]!;
      await other.subject.look().then(
        () => acknowledge(other, found),
        () => {},
      );
    }
  };

  let weather = weatherOf(world);
  for (let step = 0; step < steps; step++) {
    if (step % weatherLasts === 0) weather = weatherOf(world);
    if (world.waiting > waitingMax || (world.chance(100) < 70 && world.waiting > 0)) world.letGo();
    else if (world.chance(1_000) < weather.writes)
      void writer(all[world.chance(Math.min(weather.writers, all.length))]!);
    else if (world.chance(1_000) < weather.prunings) world.prune();
    else if (world.chance(10) === 0) passTime(world.chance(weather.longestMs));
    else void reader(all[world.chance(all.length)]!);
    await settled();
  }
  while (world.waiting > 0) {
    world.letGo();
    await settled();
  }
  return tally;
}

const weatherLasts = 2_000;

/** What is frequent and what is rare for a while; among it times when few write, and when most looks are lost. */
function weatherOf(world: World) {
  world.lossOfLooks = [1, 2, 8, 50][world.chance(4)]!;
  return {
    /** Per thousand. */
    writes: [5, 20, 100, 300][world.chance(4)]!,
    prunings: [0, 1, 10][world.chance(3)]!,
    writers: 1 + world.chance(3),
    longestMs: [20, 200, 800][world.chance(3)]!,
  };
}

/** Whether a reader may have got this: a version no older than `least`, or nothing where such a version is gone. */
function isRecent(world: World, key: string, got: Row | undefined, least: number): boolean {
  if (got !== undefined) return got.version >= least;
  return world.history
    .get(key)!
    .slice(least)
    .some(({ gone }) => gone);
}
