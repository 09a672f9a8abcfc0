// One process of the store, as a unit or a container runs it: `ashlar start --topology split --process orders`.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";

export interface Process {
  readonly name: string;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Starts it again, until it serves. */
  restart(): Promise<void>;
  /** Ends it as an operator would; answers the exit code. */
  stop(): Promise<number | null>;
  errors(): readonly string[];
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const command = fileURLToPath(new URL("../../kernel/cli/ashlar.js", import.meta.url));
const againMs = 200;

export async function startProcess(name: string, environment: Record<string, string>): Promise<Process> {
  const errors: string[] = [];
  let said: string[] = [];
  let child: ChildProcess;
  const start = async () => {
    said = [];
    child = spawn(process.execPath, [command, "start", "--topology", "split", "--process", name], {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
      // Over the last one it says that it serves; and it ends when this program does, however that ends.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
    });
    for (const stream of [child.stdout!, child.stderr!])
      createInterface({ input: stream }).on("line", (line) => {
        said = [...said.slice(-20), line];
        // 50 is "error" and more: what the log calls unexpected.
        if (!line.startsWith("{") || /"level":"(error|fatal)"/.test(line)) errors.push(`${name}: ${line}`);
      });
    const served = await Promise.race([once(child, "message").then(() => true), once(child, "exit").then(() => false)]);
    return served;
  };
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  if (!(await start())) throw new Error(`The process ${name} ended at its start:\n${said.join("\n")}`);
  return {
    name,
    kill,
    async restart() {
      await kill();
      while (!(await start())) await pause(againMs);
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const ended = once(child, "exit") as Promise<[number | null]>;
      child.kill("SIGTERM");
      return (await ended)[0];
    },
    errors: () => errors,
  };
}

const firstPort = 15_000;
const lastPort = 30_000;

/**
 * Free ports below those that systems give to outgoing connections: the port of a process that was killed must not
 * be the near end of somebody's connection when the process comes back.
 */
export async function quietPorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  const span = lastPort - firstPort;
  for (let step = 0; ports.length < count && step < span; step++) {
    const port = firstPort + ((process.pid * 7 + step) % span);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
