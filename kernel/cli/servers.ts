// NATS and Redis beside the processes of a topology: those that are configured, else those that are installed.
//
// They live as long as the supervisor and are its own: on this machine only, on free ports, each with a password made
// for this run, so that no other user of the machine gets in. Neither holds the only copy of anything.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger, Random } from "../base/index.ts";
import { type AppSettings, type Beside, findProgram } from "../runtime/index.ts";
import { freePort } from "../data/index.ts";
import { keepServer, type KeptServer } from "./kept-server.ts";

/** What a topology runs with: each as asked for, `installed` where nobody asked and the installed one may be used. */
export interface Plan {
  readonly bus: "postgres" | "configured" | "nats" | "installed";
  readonly cache: "memory" | "configured" | "redis" | "installed";
}

/** The command line decides, then the environment, then the file of topologies. */
export function planOf({ system: { natsUrl, redisUrl } }: AppSettings, asked: Beside, file: Beside = {}): Plan {
  return {
    bus: asked.bus === "postgres" || natsUrl === undefined ? (asked.bus ?? file.bus ?? "installed") : "configured",
    cache:
      asked.cache === "memory" || redisUrl === undefined ? (asked.cache ?? file.cache ?? "installed") : "configured",
  };
}

/** The settings of one process by itself, which starts no server: it refuses what would need one. */
export function withoutServers(settings: AppSettings, plan: Plan, process: string): AppSettings {
  const missing = [...(plan.bus === "nats" ? ["NATS_URL"] : []), ...(plan.cache === "redis" ? ["REDIS_URL"] : [])];
  if (missing.length > 0)
    throw new Error(
      `The process ${process} needs ${missing.join(" and ")}: by itself it starts no server. --bus postgres and --cache memory run without.`,
    );
  const { natsUrl, redisUrl } = settings.system;
  const system = {
    ...settings.system,
    natsUrl: plan.bus === "configured" ? natsUrl : undefined,
    redisUrl: plan.cache === "configured" ? redisUrl : undefined,
  };
  return { ...settings, system };
}

export interface Servers {
  /** What the processes are told: NATS_URL and REDIS_URL, undefined where they do without. */
  readonly environment: { readonly NATS_URL: string | undefined; readonly REDIS_URL: string | undefined };
  /** The words for the command line of a process, so that it does not decide again. */
  readonly words: readonly string[];
  stop(): Promise<void>;
}

export interface ServersOptions {
  settings: AppSettings;
  plan: Plan;
  /** Where programs are looked for, as PATH has it. */
  path: string | undefined;
  random: Random;
  log: Logger;
  onProgress: (message: string) => void;
}

const nats = {
  programs: ["nats-server"],
  absent: "nats-server is not installed (apt install nats-server)",
  without: "events are handed from process to process",
  option: "--bus postgres",
};
const redis = {
  programs: ["redis-server", "valkey-server"],
  absent: "Neither redis-server nor valkey-server is installed (apt install redis-server)",
  without: "each process caches and counts limits by itself",
  option: "--cache memory",
};

/** Starts what the plan wants and is not configured. Refuses what was asked for and is not installed. */
export async function startServers({
  settings,
  plan,
  path,
  random,
  log,
  onProgress,
}: ServersOptions): Promise<Servers> {
  const find = (server: typeof nats, isRequired: boolean) => {
    const program = findProgram(server.programs, path);
    if (program === undefined && isRequired) throw new Error(`${server.absent}. ${server.option} runs without it.`);
    if (program === undefined) onProgress(`${server.absent}: ${server.without}`);
    return program;
  };
  const { dataDirectory, natsUrl, redisUrl } = settings.system;
  const wants = (one: string) => one === "installed" || one === "nats" || one === "redis";
  const natsProgram = wants(plan.bus) ? find(nats, plan.bus === "nats") : undefined;
  const redisProgram = wants(plan.cache) ? find(redis, plan.cache === "redis") : undefined;
  const kept: KeptServer[] = [];
  const stop = async () => void (await Promise.all(kept.map((server) => server.stop())));
  const start = async (name: string, program: string, kind: Kind) => {
    onProgress(`Starting ${name}`);
    const folder = join(dataDirectory, name);
    const [port, password] = [await freePort(), Buffer.from(random.bytes(24)).toString("hex")];
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // In a file that nobody else may read: a command line is there for all to see.
    const file = join(folder, `${name}.conf`);
    await writeFile(file, kind.configuration(port, password, folder), { mode: 0o600 });
    const server = await keepServer({ name, command: [program, ...kind.words(file)], readyText: kind.readyText, log });
    kept.push(server);
    return kind.url(port, password);
  };
  try {
    const NATS_URL = natsProgram === undefined ? undefined : await start("nats", natsProgram, natsKind);
    const REDIS_URL = redisProgram === undefined ? undefined : await start("redis", redisProgram, redisKind);
    const environment = {
      NATS_URL: plan.bus === "configured" ? natsUrl : NATS_URL,
      REDIS_URL: plan.cache === "configured" ? redisUrl : REDIS_URL,
    };
    const bus = environment.NATS_URL === undefined ? "postgres" : "nats";
    const cache = environment.REDIS_URL === undefined ? "memory" : "redis";
    return { environment, words: ["--bus", bus, "--cache", cache], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Kind {
  configuration(port: number, password: string, folder: string): string;
  words(file: string): readonly string[];
  url(port: number, password: string): string;
  readonly readyText: string;
}

/** Values in quotes as JSON has them: the grammar of this file takes them. */
const natsKind: Kind = {
  configuration: (port, password, folder) => `host: 127.0.0.1
port: ${port}
pid_file: ${JSON.stringify(join(folder, "nats.pid"))}
authorization { user: ashlar, password: ${JSON.stringify(password)} }
jetstream { store_dir: ${JSON.stringify(join(folder, "store"))}, max_memory_store: 256MB }
`,
  words: (file) => ["--config", file],
  url: (port, password) => `nats://ashlar:${password}@127.0.0.1:${port}`,
  readyText: "Server is ready",
};

/** It keeps nothing on disk, and when memory is full it forgets what was not used for longest. */
const redisKind: Kind = {
  configuration: (port, password, folder) => `bind 127.0.0.1
port ${port}
requirepass ${password}
dir ${JSON.stringify(folder)}
pidfile ${JSON.stringify(join(folder, "redis.pid"))}
save ""
appendonly no
maxmemory 256mb
maxmemory-policy volatile-lru
`,
  words: (file) => [file],
  url: (port, password) => `redis://:${password}@127.0.0.1:${port}`,
  readyText: "Ready to accept connections",
};
