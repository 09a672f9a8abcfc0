// A Redis or Valkey for tests: the server that is installed, on a free port, keeping nothing.
//
// Where none is installed the tests that need one are skipped and say so; where they must run (a CI), the
// variable ASHLAR_REQUIRE_REDIS=1 makes that an error.

import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { endWithProcess } from "./end-with-process.ts";
import { redisPidFile, temporaryPrefix } from "./leftovers.ts";

export interface TestRedis {
  /** With the password, if it has one. */
  readonly url: string;
  /** Ends it at once, as `kill -9` does. What it held is lost. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
  /** It keeps its connections and answers nothing. */
  pause(): void;
  resume(): void;
  /** Ends it and clears away its folder; so does the end of the process. Safe to repeat. */
  stop(): Promise<void>;
}

const binary = findBinary(["redis-server", "valkey-server"]);

/** The options of a test that needs one: `test("...", needsRedis, async () => { ... })`. */
export const needsRedis: { readonly skip?: string } =
  binary !== undefined || process.env.ASHLAR_REQUIRE_REDIS === "1"
    ? {}
    : { skip: "neither redis-server nor valkey-server is installed" };

export async function startTestRedis(options: { password?: string } = {}): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), `${temporaryPrefix}${process.pid}-redis-`));
  const port = await freePort();
  const { password } = options;
  const start = () => startServer(port, directory, password === undefined ? [] : ["--requirepass", password]);
  let server = await start();
  const forget = endWithProcess(() => {
    server.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  });
  const kill = () => ended(server, () => server.kill("SIGKILL"));
  return {
    url: `redis://${password === undefined ? "" : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`,
    kill,
    async restart() {
      await kill();
      server = await start();
    },
    pause: () => void server.kill("SIGSTOP"),
    resume: () => void server.kill("SIGCONT"),
    async stop() {
      await kill();
      forget();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function findBinary(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Free a moment ago: the server, which cannot take any free port by itself, fails loudly if it no longer is. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Resolves when it takes connections; rejects with what it said when it ended instead. */
function startServer(port: number, directory: string, more: readonly string[]): Promise<ChildProcess> {
  if (binary === undefined) throw new Error("Neither redis-server nor valkey-server is installed. Tests need one.");
  const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory];
  const keepsNothing = ["--save", "", "--appendonly", "no", "--pidfile", join(directory, redisPidFile)];
  const server = spawn(binary, [...place, ...keepsNothing, ...more], { stdio: ["ignore", "pipe", "pipe"] });
  return new Promise((resolve, reject) => {
    let said = "";
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      if (!said.includes("Ready to accept connections")) return;
      for (const stream of [server.stdout, server.stderr]) stream.off("data", hear).resume();
      // It does not keep the test run from ending, and is ended with it.
      server.unref();
      for (const stream of [server.stdout, server.stderr]) (stream as unknown as { unref(): void }).unref();
      resolve(server);
    };
    server.stdout.on("data", hear);
    server.stderr.on("data", hear);
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`The test Redis ended with ${code}: ${said}`)));
  });
}

function ended(server: ChildProcess, end: () => void): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve();
    server.ref();
    server.once("exit", () => resolve());
    end();
  });
}
