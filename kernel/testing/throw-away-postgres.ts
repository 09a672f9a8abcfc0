// A PostgreSQL server in a temporary folder, which goes when the server stops.
//
// It must not outlive its run. Ended normally it is stopped; on the way out of an interrupted
// process it is killed, without waiting; and what a killed process left behind (nothing can be done
// at that moment) is cleared away by the next run, which knows it by the pid in the folder's name.

import { existsSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock, systemRandom } from "../base/index.ts";
import { startEmbeddedPostgres } from "../data/index.ts";
import { endWithProcess } from "./end-with-process.ts";
import { clearLeftovers, kill, temporaryPrefix } from "./leftovers.ts";

/** Names the server to test against, as its administrator. */
export const postgresVariable = "ASHLAR_TEST_POSTGRES_URL";

export interface ThrowAwayPostgres {
  adminUrl: string;
  /** Of one of `databases`, as the role that owns it. */
  urlOf(database: string): string;
  /** Ends the server at once, as `kill -9` does; it is started again, on the same port. */
  kill(): void;
  stop(): Promise<void>;
}

export interface ThrowAwayPostgresOptions {
  databases?: readonly string[];
  /** Whether what was committed outlives a crash of the server. Default: no, which is faster. */
  durable?: boolean;
}

export async function startThrowAwayPostgres({
  databases = [],
  durable = false,
}: ThrowAwayPostgresOptions = {}): Promise<ThrowAwayPostgres> {
  await clearLeftovers();
  const directory = await mkdtemp(join(tmpdir(), `${temporaryPrefix}${process.pid}-`));
  const server = await startEmbeddedPostgres({
    directory,
    databases: databases.map((name) => ({ name })),
    log: silentLogger,
    clock: systemClock,
    random: systemRandom,
    durable,
    maxConnections: 300,
  });
  const forget = endWithProcess(() => {
    // Immediate shutdown: nothing here is worth writing down.
    kill(server.pid, "SIGQUIT");
    removeNow(directory);
  });
  return {
    adminUrl: server.adminUrl,
    urlOf: server.urlOf,
    kill: () => kill(server.pid, "SIGKILL"),
    async stop() {
      await server.stop();
      forget();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * At exit nothing asynchronous runs any more, and the dying server still writes and deletes in the
 * folder for a moment. `rmSync` stops half-way at a file that vanished, and with `force` says nothing.
 */
function removeNow(directory: string): void {
  for (let attempt = 0; attempt < 100 && existsSync(directory); attempt++) {
    try {
      rmSync(directory, { recursive: true, force: true });
    } catch {
      // Not empty: something was written in the meantime.
    }
    if (existsSync(directory)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
}
