// What a target is, and this project as two of them.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cluster } from "./cluster.ts";
import { type Size, typeIdOf } from "./data.ts";
import type { Loaded } from "./load.ts";
import { untilDelivered } from "./delivered.ts";
import { freePorts, start, type Started } from "./processes.ts";
import { storeTokens, type UserTokens } from "./tokens.ts";

export interface Place {
  cluster: Cluster;
  size: Size;
  serverCore: number;
  loadCore: number;
  /** Where node writes a profile of each target. */
  profile?: string | undefined;
  /** What node loads before a target, if anything. */
  preload?: string;
}

export interface Target {
  readonly name: string;
  readonly about: string;
  readonly works: readonly string[];
  /** What has to be installed on the machine for it; where that is not, the target is left out. */
  readonly needs?: string;
  /** Its databases are copied at its first start and kept for the run. */
  start(work: string, place: Place): Promise<Running>;
}

export interface Running {
  readonly url: string;
  /** Of the server, where there is one of its own. */
  readonly pid?: number;
  readonly startedMs: number;
  readonly tokens: UserTokens;
  idOf(kind: "product" | "user", n: number): string;
  /** False for what hands everything on, whoever asks. */
  readonly checksTokens?: boolean;
  /** In place of requests over HTTP, which it then does not answer. */
  drive?(connections: number, seconds: number): Promise<Loaded>;
  /** Resolves when nothing is left to be done of what was answered. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export const root = fileURLToPath(new URL("../../", import.meta.url));
export const cli = join(root, "kernel/cli/ashlar.js");
const uncached = join(root, "bench/uncached");
const everything = ["W1", "W2", "W3", "W4", "W6", "W7", "W8"];

export const store: readonly Target[] = [
  ashlar("single", "Ashlar, everything in one process", everything, []),
  ashlar("split", "Ashlar, a gateway and a process for each service", everything, ["--topology", "split"]),
];

function ashlar(name: string, about: string, works: readonly string[], words: readonly string[]): Target {
  const urls = new Map<Cluster, Record<string, string>>();
  return {
    name,
    about,
    works,
    async start(work, place) {
      const { cluster, serverCore } = place;
      if (!urls.has(cluster))
        urls.set(cluster, {
          USERS_DATABASE_URL: await cluster.copy("users", `${name}_users`),
          CATALOG_DATABASE_URL: await cluster.copy("catalog", `${name}_catalog`),
          ORDERS_DATABASE_URL: await cluster.copy("orders", `${name}_orders`),
        });
      const databases = urls.get(cluster)!;
      const folder = await mkdtemp(join(tmpdir(), "ashlar-bench-"));
      const tokens = await storeTokens(folder);
      const port = await freePorts(words.length === 0 ? 1 : 4);
      const environment = { ASHLAR_DATA: folder, PORT: String(port), ...settings, ...databases };
      const directory = work === "W1" ? uncached : root;
      const started = start([...node(name, work, place), cli, "start", ...words], {
        core: serverCore,
        environment,
        directory,
      });
      const { url, tookMs } = await untilUp(started, port);
      return {
        url,
        pid: started.pid,
        startedMs: tookMs,
        tokens,
        idOf: typeIdOf,
        settled: () => untilDelivered([databases.ORDERS_DATABASE_URL!, databases.CATALOG_DATABASE_URL!]),
        async stop() {
          await started.stop();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  };
}

/** Limits are counted and told, and none is reached. */
const bound = "100000000/60s";
export const settings = {
  NODE_ENV: "production",
  LOG_LEVEL: "warn",
  LIMIT_DEFAULT: bound,
  LIMIT_ANONYMOUS: bound,
  LIMIT_AUTH: bound,
  LIMIT_MACHINE: bound,
};

export function node(name: string, work: string, { profile, preload }: Pick<Place, "profile" | "preload">): string[] {
  const where = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${join(profile, `${work}-${name}`)}`];
  return [process.execPath, ...where, ...(preload === undefined ? [] : ["--import", preload])];
}

export async function untilUp(
  started: Started,
  port: number,
  path = "/health",
): Promise<{ url: string; tookMs: number }> {
  const url = `http://127.0.0.1:${port}`;
  const startMs = performance.now();
  for (;;) {
    const status = await fetch(`${url}${path}`).then(
      async (answer) => (await answer.arrayBuffer(), answer.status),
      () => undefined,
    );
    const tookMs = performance.now() - startMs;
    if (status === 200) return { url, tookMs };
    if (!started.isRunning()) throw new Error(`It ended at its start:\n${started.output()}`);
    if (tookMs > 60_000) throw new Error(`It did not answer within a minute:\n${started.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
