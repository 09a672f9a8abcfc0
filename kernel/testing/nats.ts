// A NATS with JetStream for tests: the server that is installed, on a free port, with its store in a folder that goes.
//
// Where none is installed the tests that need one are skipped and say so; where they must run (a CI), the
// variable ASHLAR_REQUIRE_NATS=1 makes that an error.

import { rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../data/index.ts";
import { findProgram } from "../runtime/index.ts";
import { endWithProcess } from "./end-with-process.ts";
import { killServer, startServer } from "./installed-server.ts";
import { natsPidFile, temporaryPrefix } from "./leftovers.ts";

export interface TestNats {
  /** With the user and the password, if it has them. */
  readonly url: string;
  /** Ends it at once, as `kill -9` does. Its store stays. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with what it had stored or without. */
  restart(options?: { wiped?: boolean }): Promise<void>;
  /** It keeps its connections and answers nothing. */
  pause(): void;
  resume(): void;
  /** Ends it and clears away its folder; so does the end of the process. Safe to repeat. */
  stop(): Promise<void>;
}

export interface TestNatsOptions {
  user?: string;
  password?: string;
  /** The subjects this user may publish to and subscribe to. Default: all. */
  permissions?: { publish: readonly string[]; subscribe: readonly string[] };
  /** The size of the largest message it takes. Default: that of NATS, 1 MiB. */
  maxPayloadBytes?: number;
}

const binary = findProgram(["nats-server"], process.env.PATH);

/** The options of a test that needs one: `test("...", needsNats, async () => { ... })`. */
export const needsNats: { readonly skip?: string } =
  binary !== undefined || process.env.ASHLAR_REQUIRE_NATS === "1" ? {} : { skip: "nats-server is not installed" };

export async function startTestNats(options: TestNatsOptions = {}): Promise<TestNats> {
  if (binary === undefined) throw new Error("nats-server is not installed. Tests need one.");
  const directory = await mkdtemp(join(tmpdir(), `${temporaryPrefix}${process.pid}-nats-`));
  const port = await freePort();
  const configuration = join(directory, "nats.conf");
  const store = join(directory, "store");
  await writeFile(configuration, configurationOf(options, port, store));
  const pidFile = join(directory, natsPidFile);
  const start = () => startServer(binary, ["--config", configuration, "--pid", pidFile], "Server is ready");
  let server = await start();
  const forget = endWithProcess(() => {
    server.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  });
  const kill = () => killServer(server);
  const { user, password } = options;
  const credentials = user === undefined ? "" : `${encodeURIComponent(user)}:${encodeURIComponent(password ?? "")}@`;
  return {
    url: `nats://${credentials}127.0.0.1:${port}`,
    kill,
    async restart({ wiped = false } = {}) {
      await kill();
      if (wiped) await rm(store, { recursive: true, force: true });
      server = await start();
    },
    pause: () => void server.kill("SIGSTOP"),
    resume: () => void server.kill("SIGCONT"),
    async stop() {
      await kill();
      forget();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Values in quotes as JSON has them: the grammar of this file takes them. */
function configurationOf(options: TestNatsOptions, port: number, store: string): string {
  const { user, password = "", permissions, maxPayloadBytes } = options;
  const users = JSON.stringify([{ user, password, ...(permissions && { permissions }) }]);
  const lines = [
    "host: 127.0.0.1",
    `port: ${port}`,
    `jetstream { store_dir: ${JSON.stringify(store)} }`,
    maxPayloadBytes === undefined ? "" : `max_payload: ${maxPayloadBytes}`,
    user === undefined ? "" : `authorization { users: ${users} }`,
  ];
  return lines.filter((line) => line !== "").join("\n");
}
