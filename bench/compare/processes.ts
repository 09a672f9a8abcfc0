// Processes of targets: on a core of their own, and what they take of it, from /proc.

import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { promisify } from "node:util";

const run = promisify(execFile);

export const hasTaskset = exists("taskset");
const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

export function exists(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export interface Started {
  readonly pid: number;
  output(): string;
  isRunning(): boolean;
  /** Resolves when it ended, for whatever reason. */
  closed: Promise<void>;
  stop(): Promise<void>;
}

export interface StartOptions {
  core: number;
  environment?: Record<string, string>;
  directory?: string;
}

/** What must not outlive this program, however that ends. */
const children = new Set<ChildProcess>();
process.once("exit", () => children.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

export function start(command: readonly string[], { core, environment = {}, directory }: StartOptions): Started {
  const [program, ...words] = pinned(command, core);
  const child = spawn(program!, words, {
    cwd: directory,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  let output = "";
  const keep = (chunk: unknown) => (output = (output + String(chunk)).slice(-10_000));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  void closed.then(() => children.delete(child));
  return {
    pid: child.pid!,
    output: () => output,
    closed,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    async stop() {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 15_000);
      await closed;
      clearTimeout(late);
    },
  };
}

export function pinned(command: readonly string[], core: number): string[] {
  return hasTaskset ? ["taskset", "-c", String(core), ...command] : [...command];
}

/** Moves a process that runs already, with its threads and children, to a core. */
export async function pin(pid: number, core: number): Promise<void> {
  if (!hasTaskset) return;
  for (const one of familyOf(pid)) await run("taskset", ["-acp", String(core), String(one)]).catch(() => {});
}

export interface Usage {
  cpuMs: number;
  memoryMiB: number;
}

/** Processor time and resident memory of a process and all below it, those that ended included. */
export function usageOf(pid: number | undefined): Usage {
  if (pid === undefined) return { cpuMs: 0, memoryMiB: 0 };
  let ticks = 0;
  let kib = 0;
  for (const one of familyOf(pid)) {
    try {
      const fields = statOf(one);
      // utime, stime, and what children took that ended and were waited for.
      ticks += fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      kib += Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${one}/status`, "utf8"))?.[1] ?? 0);
    } catch {
      // It ended between the listing and the reading.
    }
  }
  return { cpuMs: (ticks * 1_000) / ticksPerSecond, memoryMiB: kib / 1_024 };
}

/** Busy and whole time of a core since the machine started, in ticks. */
export function coreTime(core: number): { busy: number; all: number } {
  const line = readFileSync("/proc/stat", "utf8")
    .split("\n")
    .find((one) => one.startsWith(`cpu${core} `));
  const ticks = (line ?? "").trim().split(/\s+/).slice(1, 9).map(Number);
  const all = ticks.reduce((sum, one) => sum + one, 0);
  // Idle, and waiting for the disk.
  return { all, busy: all - (ticks[3] ?? 0) - (ticks[4] ?? 0) };
}

function familyOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      parents.set(Number(name), Number(statOf(Number(name))[1]));
    } catch {
      // As above.
    }
  }
  const family = [pid];
  for (const one of family) for (const [child, parent] of parents) if (parent === one) family.push(child);
  return family;
}

/** The fields of /proc/<pid>/stat from the state on; the name before it may hold anything. */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** The first of `count` ports in a row that are free now. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = await portFree(0);
    const rest = await Promise.all(Array.from({ length: count - 1 }, (_, index) => portFree(first + 1 + index)));
    if (!rest.includes(0)) return first;
  }
}

/** The port, or 0 when it is taken. */
function portFree(port: number): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(0));
    server.listen(port, "127.0.0.1", () => {
      const { port: found } = server.address() as { port: number };
      server.close(() => resolve(found));
    });
  });
}
