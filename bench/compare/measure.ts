// One work on all targets that do it: checked, warmed up, then loaded in turns.

import { join } from "node:path";
import type { Arguments } from "./arguments.ts";
import type { Cluster } from "./cluster.ts";
import type { Size } from "./data.ts";
import { load, type Loaded } from "./load.ts";
import { hotFunctions } from "./profile.ts";
import { coreTime, usageOf } from "./processes.ts";
import type { Running, Target } from "./targets.ts";
import type { Work } from "./works.ts";

export interface Round extends Loaded {
  perSecond: number;
  /** Processor time a request, in microseconds. */
  serverUs: number;
  databaseUs: number;
  /** How much of the time the core of the load was busy. At one, the load or the database was the limit, not the server. */
  loadCoreBusy: number;
  memoryMiB: number;
}

export interface Measured {
  work: string;
  target: string;
  connections: number;
  rounds: Round[];
  /** Why it was not measured. */
  refused?: string;
}

export type Pace = Pick<Arguments, "connections" | "seconds" | "warmUpSeconds" | "rounds">;

export interface Setting {
  cluster: Cluster;
  size: Size;
  serverCore: number;
  loadCore: number;
  profile: string | undefined;
  /** What node loads before a target, if anything. */
  preload?: string;
}

export async function measureWork(
  work: Work,
  all: readonly Target[],
  options: Pace,
  setting: Setting,
): Promise<Measured[]> {
  const running = new Map<Target, Running>();
  const measured: Measured[] = [];
  try {
    for (const target of all) {
      try {
        const started = await target.start(work.name, setting);
        running.set(target, started);
        if (started.drive === undefined) await work.check(started, setting.size);
        await loadOnce(work, started, { connections: 16, seconds: options.warmUpSeconds }, setting);
      } catch (error) {
        measured.push(...refusals(work, target, options, error));
        await running.get(target)?.stop();
        running.delete(target);
      }
    }
    for (const connections of options.connections) {
      const rounds = new Map([...running.keys()].map((target) => [target, [] as Round[]]));
      for (let round = 0; round < options.rounds; round++)
        for (const [target, started] of running) {
          const one = await loadOnce(work, started, { connections, seconds: options.seconds }, setting);
          console.error(`  ${work.name} ${target.name} x${connections}: ${one.perSecond.toFixed(0)}/s`);
          rounds.get(target)!.push(one);
        }
      for (const [target, made] of rounds)
        measured.push({ work: work.name, target: target.name, connections, rounds: made });
    }
  } finally {
    for (const [target, started] of running) {
      await started.stop();
      if (setting.profile !== undefined)
        console.error(hotFunctions(join(setting.profile, `${work.name}-${target.name}`)).join("\n"));
    }
  }
  return measured;
}

function refusals(work: Work, target: Target, { connections }: Pace, error: unknown): Measured[] {
  const refused = error instanceof Error ? error.message : String(error);
  console.error(`  ${work.name} ${target.name} IS NOT MEASURED: ${refused}`);
  return connections.map((count) => ({
    work: work.name,
    target: target.name,
    connections: count,
    rounds: [],
    refused,
  }));
}

async function loadOnce(
  work: Work,
  target: Running,
  { connections, seconds }: { connections: number; seconds: number },
  { cluster, size, loadCore }: Setting,
): Promise<Round> {
  const before = { server: usageOf(target.pid), database: usageOf(cluster.pid) };
  const core = coreTime(loadCore);
  const loaded =
    target.drive === undefined
      ? await load({ url: target.url, requests: work.requests(target, size), connections, seconds, core: loadCore })
      : await target.drive(connections, seconds);
  const coreAfter = coreTime(loadCore);
  // What an answer left to be done belongs to what it costs, and must not burden who comes next.
  await target.settled();
  const after = { server: usageOf(target.pid), database: usageOf(cluster.pid) };
  if (loaded.failed > loaded.requests / 1_000)
    throw new Error(`${loaded.failed} of ${loaded.requests} requests failed`);
  const each = (cpuMs: number) => (cpuMs * 1_000) / loaded.requests;
  return {
    ...loaded,
    perSecond: loaded.requests / loaded.seconds,
    serverUs: each(after.server.cpuMs - before.server.cpuMs),
    databaseUs: each(after.database.cpuMs - before.database.cpuMs),
    loadCoreBusy: (coreAfter.busy - core.busy) / (coreAfter.all - core.all),
    memoryMiB: after.server.memoryMiB,
  };
}
