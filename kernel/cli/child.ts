// One process of a topology as its supervisor sees it: started, started again, replaced, and stopped.
//
// Its socket belongs to the supervisor. So the one before and the one after share it, and while there is none,
// connections wait.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { BoundSocket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Logger, systemClock } from "../base/index.ts";
import { idleConnectionMs } from "../http/index.ts";
import { createLineReader, type StopOptions } from "../runtime/index.ts";
import type { EndMessage } from "./life.ts";

export interface ChildOptions {
  name: string;
  args: readonly string[];
  folder: string;
  environment: Record<string, string | undefined>;
  socket: BoundSocket;
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
  /**
   * Starts another one beside it, and when that serves asks this one to end. Rejects, and leaves this one as it is, when
   * the other one does not come to serve.
   */
  replace(): Promise<void>;
  /** Asks it to end, and ends it a little after it should have. */
  stop(how: StopOptions & { withinMs: number }): Promise<void>;
}

/** A process from its start to its end. */
interface Life {
  readonly child: ChildProcess;
  readonly serves: Promise<Started>;
  readonly exited: Promise<readonly [code: unknown, signal: unknown]>;
}

const command = fileURLToPath(new URL("./ashlar.js", import.meta.url));
const againMinMs = 200;
const againMaxMs = 10_000;
/** Who lived this long did not die of its start. */
const healthyMs = 30_000;
/** How long one that replaces another may take to serve. */
const replaceMs = 60_000;
const endMs = 9_000;
const killMs = 800;

export function startChild(options: ChildOptions): Child {
  const { name, log } = options;
  const alive = new Set<Life>();
  const stopped = new AbortController();
  const live = () => {
    const life = spawnOne(options);
    alive.add(life);
    void life.exited.then(() => alive.delete(life));
    return life;
  };
  let current = live();
  const { promise: ready, resolve, reject } = Promise.withResolvers<Started>();
  ready.catch(() => {});
  let served = false;
  const keep = async () => {
    let againMs = againMinMs;
    for (;;) {
      const life = current;
      const startedAtMs = systemClock.nowMs();
      void life.serves.then(
        (started) => {
          served = true;
          resolve(started);
        },
        () => {},
      );
      const [code, signal] = await life.exited;
      if (stopped.signal.aborted) return;
      if (life !== current) continue;
      if (!served) return reject(endedEarly(name, code ?? signal));
      againMs = systemClock.nowMs() - startedAtMs > healthyMs ? againMinMs : Math.min(againMs * 2, againMaxMs);
      log.error({ process: name, code, signal, againMs }, "A process ended and is started again");
      await systemClock.sleep(againMs, stopped.signal);
      if (stopped.signal.aborted) return;
      if (life === current) current = live();
    }
  };
  const kept = keep();
  return {
    name,
    pid: () => current.child.pid,
    ready,
    async replace() {
      const next = live();
      const late = new AbortController();
      const tooLate = systemClock.sleep(replaceMs, late.signal).then(() => {
        throw new Error(`The process ${name} did not serve within ${replaceMs} ms`);
      });
      try {
        await Promise.race([next.serves, tooLate]);
      } catch (error) {
        await end(next, { leadMs: 0, withinMs: endMs });
        throw error;
      } finally {
        tooLate.catch(() => {});
        late.abort();
      }
      const before = current;
      current = next;
      await end(before, { leadMs: idleConnectionMs, replaced: true, withinMs: endMs });
    },
    async stop(how) {
      stopped.abort();
      await Promise.all([...alive].map((life) => end(life, how)));
      await kept;
    },
  };
}

function endedEarly(name: string, why: unknown): Error {
  return new Error(`The process ${name} ended with ${String(why)} before it served; its log says why.`);
}

async function end({ child, exited }: Life, how: StopOptions & { withinMs: number }): Promise<void> {
  const over = new AbortController();
  // It may be gone already.
  if (child.connected) child.send({ end: how } satisfies EndMessage, () => {});
  void systemClock.sleep(how.withinMs + killMs, over.signal).then(() => over.signal.aborted || child.kill("SIGKILL"));
  await exited;
  over.abort();
}

/** Its log goes to ours, each line with the name of the process. */
function spawnOne({ name, args, folder, environment, socket, readable, hushed }: ChildOptions): Life {
  const child = spawn(process.execPath, [command, ...args], {
    cwd: folder,
    env: { ...environment, LISTEN_FDS: "1", LISTEN_PID: undefined },
    stdio: ["ignore", "pipe", "pipe", socket.fd(), "ipc"],
    // A Ctrl-C is for the supervisor, which stops them in order.
    detached: true,
  });
  const read = readable ? createLineReader() : (line: string) => `${line}\n`;
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream as NodeJS.ReadableStream }).on("line", (line) => {
      if (hushed() && /^\{"level":"(?:info|debug)"/.test(line)) return;
      const named = line.startsWith("{") ? `{"process":${JSON.stringify(name)},${line.slice(1)}` : `${name}: ${line}`;
      process.stdout.write(read(named));
    });
  }
  const exited = once(child, "exit").catch((error: NodeJS.ErrnoException) => [error.code, null]) as Life["exited"];
  const { promise: serves, resolve, reject } = Promise.withResolvers<Started>();
  serves.catch(() => {});
  child.on("message", (message: Partial<Started>) => resolve({ demo: message.demo ?? [] }));
  void exited.then(([code, signal]) => reject(endedEarly(name, code ?? signal)));
  return { child, serves, exited };
}
