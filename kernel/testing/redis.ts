// A Redis or Valkey for tests: the server that is installed, on a free port, keeping nothing.
//
// Where none is installed the tests that need one are skipped and say so; where they must run (a CI), the
// variable ASHLAR_REQUIRE_REDIS=1 makes that an error.

import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../data/index.ts";
import { findProgram } from "../runtime/index.ts";
import { endWithProcess } from "./end-with-process.ts";
import { killServer, startServer } from "./installed-server.ts";
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

const binary = findProgram(["redis-server", "valkey-server"], process.env.PATH);

/** The options of a test that needs one: `test("...", needsRedis, async () => { ... })`. */
export const needsRedis: { readonly skip?: string } =
  binary !== undefined || process.env.ASHLAR_REQUIRE_REDIS === "1"
    ? {}
    : { skip: "neither redis-server nor valkey-server is installed" };

export async function startTestRedis(options: { password?: string } = {}): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), `${temporaryPrefix}${process.pid}-redis-`));
  const port = await freePort();
  const { password } = options;
  const start = () => startServerIn(directory, port, password === undefined ? [] : ["--requirepass", password]);
  let server = await start();
  const forget = endWithProcess(() => {
    server.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  });
  const kill = () => killServer(server);
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

function startServerIn(directory: string, port: number, more: readonly string[]): Promise<ChildProcess> {
  if (binary === undefined) throw new Error("Neither redis-server nor valkey-server is installed. Tests need one.");
  const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory];
  const keepsNothing = ["--save", "", "--appendonly", "no", "--pidfile", join(directory, redisPidFile)];
  return startServer(binary, [...place, ...keepsNothing, ...more], "Ready to accept connections");
}
