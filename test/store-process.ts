// The store as a user starts it: a process of its own, on its own data folder.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient, type TestClient } from "ashlar/testing";

const root = fileURLToPath(new URL("..", import.meta.url));
const cli = join(root, "kernel/cli/ashlar.js");

export interface StoreProcess extends TestClient {
  readonly pid: number;
  /** What it printed so far. */
  output(): string;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Ends it as an operator would; answers the exit code. */
  stop(): Promise<number | null>;
}

export interface StoreFolder {
  readonly directory: string;
  /** `words` as in `ashlar start`; a topology takes the ports behind its gateway's, too. */
  start(environment?: Record<string, string>, ...words: string[]): Promise<StoreProcess>;
  /** Of what was started last, whether or not it serves yet. */
  latestPid(): Promise<number>;
  /** Runs the CLI against the folder to its end. */
  cli(...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }>;
  /** Ends what still runs on the folder, also after a test that failed half-way, and deletes it. */
  remove(): Promise<void>;
}

/** An empty data folder for the store, or for the app of another folder, with variables for all its commands. */
export async function createStoreFolder(app = root, variables: Record<string, string> = {}): Promise<StoreFolder> {
  const directory = await mkdtemp(join(tmpdir(), "ashlar-store-"));
  const children = new Set<ChildProcess>();
  const environment = (more: Record<string, string> = {}) => ({
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    ASHLAR_DATA: directory,
    ...variables,
    ...more,
  });
  return {
    directory,
    async start(more = {}, ...words) {
      const port = await freePort(words.length > 0 ? portsOfTopology : 1);
      const child = spawn(process.execPath, [cli, "start", ...words], {
        cwd: app,
        env: environment({ PORT: String(port), ...more }),
        stdio: ["ignore", "pipe", "pipe"],
      });
      children.add(child);
      return started(child, port);
    },
    async latestPid() {
      const latest = () => [...children].at(-1);
      await eventually(async () => latest()?.exitCode === null && latest()?.signalCode === null);
      return latest()!.pid!;
    },
    async cli(...words) {
      const child = spawn(process.execPath, [cli, ...words], {
        cwd: app,
        env: environment(),
        stdio: ["ignore", "pipe", "pipe"],
      });
      const [stdout, stderr, code] = await Promise.all([textOf(child.stdout), textOf(child.stderr), ended(child)]);
      return { code, stdout, stderr };
    },
    async remove() {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const end = ended(child);
        child.kill("SIGTERM");
        await end;
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Resolves when it answers. */
async function started(child: ChildProcess, port: number): Promise<StoreProcess> {
  let output = "";
  child.stdout!.on("data", (chunk) => (output += String(chunk)));
  child.stderr!.on("data", (chunk) => (output += String(chunk)));
  const client = createClient(`http://127.0.0.1:${port}`);
  const end = ended(child);
  const isUp = async () => (await client.request("GET", "/health").catch(() => undefined))?.status === 200;
  await eventually(async () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`It ended at its start:\n${output}`);
    return isUp();
  }, 60_000);
  return {
    ...client,
    pid: child.pid!,
    output: () => output,
    async kill() {
      child.kill("SIGKILL");
      await end;
    },
    stop() {
      child.kill("SIGTERM");
      return end;
    },
  };
}

/** Waits for what happens in another process, where no clock can be moved by hand. */
export async function eventually(check: () => Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const untilMs = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > untilMs) throw new Error(`It did not come about within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("close", (code) => resolve(code)));
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}

const portsOfTopology = 4;

/** The first of `count` ports in a row that are free; below those that systems give to outgoing connections, of which there are many here. */
async function freePort(count: number): Promise<number> {
  for (;;) {
    const first = 16_000 + Math.floor(Math.random() * 16_000);
    const opened = await Promise.all(
      Array.from({ length: count }, (_, index) => openPort(first + index).catch(() => undefined)),
    );
    for (const one of opened) await one?.close();
    if (!opened.includes(undefined)) return first;
  }
}

function openPort(port: number): Promise<{ close(): Promise<unknown> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve({ close: () => new Promise((closed) => server.close(closed)) }));
  });
}
