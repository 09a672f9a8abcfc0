// A server that the supervisor keeps: started again when it dies, and never left behind.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Logger, systemClock } from "../base/index.ts";

export interface KeptServer {
  stop(): Promise<void>;
}

export interface KeptServerOptions {
  name: string;
  command: readonly string[];
  /** What it says when it is ready. */
  readyText: string;
  log: Logger;
}

const startMsMax = 15_000;
const linesKept = 20;
const againMinMs = 200;
const againMaxMs = 10_000;
/** Who lived this long did not die of its start. */
const healthyMs = 30_000;

// The shell ends the server when its own standard input ends, which it does however the supervisor ends. A server that was
// asked and does not end is killed.
const guard = `
exec 3<&0
"$@" </dev/null 3<&- & server=$!
{ read -r _ <&3; kill "$server"; sleep 3; kill -9 "$server"; } 2>/dev/null & reader=$!
exec 3<&-
wait "$server"; code=$?
kill "$reader" 2>/dev/null
exit "$code"`;

/** Resolves when it is ready; rejects, with what it said, when it ends before. */
export async function keepServer(options: KeptServerOptions): Promise<KeptServer> {
  const { name, log } = options;
  const stopped = new AbortController();
  let child = await startFirst(options);
  let startedAtMs = systemClock.nowMs();
  const keep = async () => {
    for (let againMs = againMinMs; ; againMs = Math.min(againMs * 2, againMaxMs)) {
      const code = await endOf(child);
      if (stopped.signal.aborted) return;
      if (systemClock.nowMs() - startedAtMs > healthyMs) againMs = againMinMs;
      log.error({ server: name, code, againMs }, "A server ended and is started again");
      await systemClock.sleep(againMs, stopped.signal);
      if (stopped.signal.aborted) return;
      startedAtMs = systemClock.nowMs();
      child = spawnGuarded(options);
    }
  };
  const kept = keep();
  return {
    async stop() {
      stopped.abort();
      child.stdin!.end();
      await kept;
    },
  };
}

async function startFirst(options: KeptServerOptions): Promise<ChildProcess> {
  const { name, readyText } = options;
  const { promise: ready, resolve } = Promise.withResolvers<"ready">();
  const said: string[] = [];
  const child = spawnGuarded(options, (line) => {
    said.push(line);
    if (said.length > linesKept) said.shift();
    if (line.includes(readyText)) resolve("ready");
  });
  const inTime = new AbortController();
  const late = systemClock.sleep(startMsMax, inTime.signal);
  const first = await Promise.race([ready, endOf(child), late]);
  inTime.abort();
  if (first === "ready") return child;
  child.stdin!.end();
  throw new Error(`${name} did not start. It said:\n${said.join("\n")}`);
}

function spawnGuarded({ name, command, log }: KeptServerOptions, hear?: (line: string) => void): ChildProcess {
  // A Ctrl-C is for the supervisor, which ends them behind the processes that need them.
  const child = spawn("/bin/sh", ["-c", guard, name, ...command], { stdio: ["pipe", "pipe", "pipe"], detached: true });
  child.stdin.on("error", () => {});
  child.once("exit", () => child.stdin.destroy());
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => {
      hear?.(line);
      log.debug({ server: name }, line);
    });
  return child;
}

async function endOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}
