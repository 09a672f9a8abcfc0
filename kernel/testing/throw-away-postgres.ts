// A PostgreSQL server in a temporary folder that loses everything when it stops.
//
// It must not outlive its run. Ended normally it is stopped; on the way out of an interrupted
// process it is killed, without waiting; and what a killed process left behind (nothing can be done
// at that moment) is cleared away by the next run, which knows it by the pid in the folder's name.

import { existsSync, rmSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock, systemRandom } from "../base/index.ts";
import { startEmbeddedPostgres } from "../data/index.ts";

/** Names the server to test against, as its administrator. */
export const postgresVariable = "ASHLAR_TEST_POSTGRES_URL";

export interface ThrowAwayPostgres {
  adminUrl: string;
  stop(): Promise<void>;
}

const prefix = "ashlar-test-";

export async function startThrowAwayPostgres(): Promise<ThrowAwayPostgres> {
  await clearLeftovers();
  const directory = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
  const server = await startEmbeddedPostgres({
    directory,
    databases: [],
    log: silentLogger,
    clock: systemClock,
    random: systemRandom,
    durable: false,
    maxConnections: 300,
  });
  const forget = endWithProcess(() => {
    kill(server.pid);
    removeNow(directory);
  });
  return {
    adminUrl: server.adminUrl,
    async stop() {
      await server.stop();
      forget();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Runs `end` when the process exits or is told to. A signal's own effect is kept. */
function endWithProcess(end: () => void): () => void {
  const onSignal = (signal: NodeJS.Signals) => {
    forget();
    end();
    // Whoever else listens decides what the signal means; if nobody does, it means the end.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const forget = () => {
    process.off("exit", end);
    for (const signal of signals) process.off(signal, onSignal);
  };
  process.once("exit", end);
  for (const signal of signals) process.once(signal, onSignal);
  return forget;
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

async function clearLeftovers(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(prefix));
  for (const name of names) {
    const owner = Number(name.slice(prefix.length).split("-")[0]);
    if (!Number.isInteger(owner) || isAlive(owner)) continue;
    await clearLeftover(join(tmpdir(), name)).catch(() => {});
  }
}

async function clearLeftover(directory: string): Promise<void> {
  const data = join(directory, "postgres");
  const pid = Number((await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "")).split("\n")[0]);
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  if (commandLine.includes(data)) kill(pid);
  await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

/** Immediate shutdown: nothing here is worth writing down. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGQUIT");
  } catch {
    // It is gone already.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
