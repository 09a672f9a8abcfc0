// One process of a topology as its supervisor sees it: started, started again, and stopped.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Logger, systemClock } from "../base/index.ts";
import { createLineReader } from "../runtime/index.ts";

export interface ChildOptions {
  name: string;
  args: readonly string[];
  folder: string;
  environment: Record<string, string | undefined>;
  readable: boolean;
  /** Whether its log is told from warnings on only: until all serve, a person reads the progress. */
  hushed: () => boolean;
  log: Logger;
}

export interface Started {
  demo: readonly string[];
}

export interface Child {
  readonly name: string;
  pid(): number | undefined;
  /** Resolves when it serves; rejects when it ends before it ever did. */
  readonly ready: Promise<Started>;
  /** Asks it to end, and ends it after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

const command = fileURLToPath(new URL("./ashlar.js", import.meta.url));
const againMinMs = 200;
const againMaxMs = 10_000;
/** Who lived this long did not die of its start. */
const healthyMs = 30_000;

export function startChild(options: ChildOptions): Child {
  const { name, log } = options;
  const state = { stopping: false, child: undefined as ChildProcess | undefined };
  const { promise: ready, resolve, reject } = Promise.withResolvers<Started>();
  const stopped = new AbortController();
  let served = false;
  const keep = async () => {
    for (let againMs = againMinMs; !state.stopping; againMs = Math.min(againMs * 2, againMaxMs)) {
      const startedAtMs = systemClock.nowMs();
      const child = spawnOne(options);
      state.child = child;
      child.on("message", (message: Partial<Started>) => {
        served = true;
        resolve({ demo: message.demo ?? [] });
      });
      const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
      if (state.stopping) return;
      if (!served)
        return reject(
          new Error(`The process ${name} ended with ${signal ?? code} before it served; its log says why.`),
        );
      if (systemClock.nowMs() - startedAtMs > healthyMs) againMs = againMinMs;
      log.error({ process: name, code, signal, againMs }, "A process ended and is started again");
      await systemClock.sleep(againMs, stopped.signal);
    }
  };
  const kept = keep();
  return {
    name,
    pid: () => state.child?.pid,
    ready,
    async stop(graceMs) {
      state.stopping = true;
      stopped.abort();
      ready.catch(() => {});
      state.child?.kill("SIGTERM");
      const over = new AbortController();
      void systemClock.sleep(graceMs, over.signal).then(() => over.signal.aborted || state.child?.kill("SIGKILL"));
      await kept;
      over.abort();
    },
  };
}

/** Its log goes to ours, each line with the name of the process. */
function spawnOne({ name, args, folder, environment, readable, hushed }: ChildOptions): ChildProcess {
  const child = spawn(process.execPath, [command, ...args], {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // A Ctrl-C is for the supervisor, which stops them in order.
    detached: true,
  });
  const read = readable ? createLineReader() : (line: string) => `${line}\n`;
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream! }).on("line", (line) => {
      if (hushed() && /^\{"level":"(?:info|debug)"/.test(line)) return;
      const named = line.startsWith("{") ? `{"process":${JSON.stringify(name)},${line.slice(1)}` : `${name}: ${line}`;
      process.stdout.write(read(named));
    });
  }
  return child;
}
