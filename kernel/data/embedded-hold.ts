// Getting hold of a cluster's server: finding or starting it, and being the only one who uses it.
//
// The program holds an advisory lock on a connection of its own. It dies with the program, however
// that dies, which a lock file would not. A server whose lock is free has outlived its program.

import pg from "pg";
import type { Clock, Logger, Random } from "../base/index.ts";
import { useOwnServer, type Binaries } from "./embedded-binaries.ts";
import { lastLines, type ClusterPaths, type Secrets } from "./embedded-files.ts";
import { removeMisleadingRecord, runningServer, type RunningServer } from "./embedded-record.ts";
import { provision, urlsOf } from "./embedded-roles.ts";
import { freePort, spawnServer, startError, type SpawnedServer } from "./embedded-server.ts";
import type { ServerUser } from "./embedded-user.ts";

const startTimeoutMs = 60_000;
/** How long a dead program's session may linger in the server before its lock counts as held. */
const lingerMs = 3_000;
const pollMs = 20;
const portAttempts = 5;
/** Before a start that failed for what will pass is tried again. */
const restMs = 250;
/** Any constant will do; the cluster is ours alone. */
const holdKey = 4_185_700_901;

export interface HoldOptions {
  log: Logger;
  clock: Clock;
  random: Random;
  onProgress?: (message: string) => void;
  durable: boolean;
  maxConnections: number;
  /** The databases to be there before anybody is let in. */
  names: readonly string[];
  paths: ClusterPaths;
  binaries: Binaries;
  user: ServerUser;
  secrets: Secrets;
  /** Where the server was before it crashed. The databases are known there, so no other port will do. */
  port?: number;
  /** Whether nobody wants the server any more. */
  isGivenUp?: () => boolean;
}

export interface HeldServer extends RunningServer {
  /** The session whose lock says that the cluster is ours. */
  session: pg.Client;
  stopping: boolean;
  /** After a crash: until the server is held again, or lost. Never rejects. */
  recovering?: Promise<void>;
}

/** Looks, starts a server if there is none, tries to hold it; again, until held or out of time. */
export async function holdServer(starting: HoldOptions): Promise<HeldServer> {
  const { clock, names, paths, secrets } = starting;
  const deadlineMs = clock.nowMs() + startTimeoutMs;
  let spawned: SpawnedServer | undefined;
  let attempts = 0;
  let lastFailure: unknown;
  for (; clock.nowMs() < deadlineMs; await clock.sleep(pollMs)) {
    const server = await runningServer(paths);
    if (server === undefined) {
      if (spawned !== undefined && isRunning(spawned)) continue;
      if (starting.isGivenUp?.() === true) break;
      if (spawned !== undefined && (await willPass(starting, spawned))) await clock.sleep(restMs);
      else if (attempts++ === portAttempts) throw await serverError(paths, spawned, "did not start");
      await removeMisleadingRecord(paths);
      starting.onProgress?.("Starting PostgreSQL");
      const port = starting.port ?? (await freePort(attempts === 1 ? secrets.port : 0));
      // Of two programs that get here at once one server wins PostgreSQL's own lock, and both look at that one.
      spawned = await spawnServer(paths, { ...starting, port });
      continue;
    }
    let session: pg.Client | undefined;
    try {
      session = await hold(server.port, starting);
      secrets.port = server.port;
      await provision(session, paths, secrets, names, starting.random);
      const takenOver = spawned?.child.pid !== server.pid;
      if (takenOver) starting.log.info({ pid: server.pid }, "Took over a PostgreSQL server whose program had died");
      // From here on the session only says who holds the cluster; it is no reason for the program to go on.
      (session as pg.Client & { unref(): void }).unref();
      return { ...server, session, stopping: false };
    } catch (error) {
      if (session !== undefined) hangUp(session);
      // Not up yet, or going down: look again.
      if (!isNotReady(error)) throw error;
      lastFailure = error;
    }
  }
  throw Object.assign(await serverError(paths, spawned, `was not ready within ${startTimeoutMs / 1000} s`), {
    cause: lastFailure,
  });
}

function isRunning({ child }: SpawnedServer): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/**
 * A killed server leaves the statements that were under way: until the last has ended, PostgreSQL starts no other on
 * its data. And whoever has taken the port may give it back.
 */
async function willPass({ paths, port }: HoldOptions, { logStartBytes }: SpawnedServer): Promise<boolean> {
  const said = await lastLines(paths, logStartBytes);
  return said.includes("pre-existing shared memory block") || (port !== undefined && said.includes("could not bind"));
}

/** Opens the session that says the cluster is ours. Refuses when another program has it. */
async function hold(port: number, { paths, secrets, clock }: HoldOptions): Promise<pg.Client> {
  const connectionString = urlsOf(port, secrets).adminUrl;
  const session = new pg.Client({
    connectionString,
    application_name: `ashlar, process ${process.pid}`,
    connectionTimeoutMillis: 5_000,
  });
  session.on("error", () => {});
  try {
    await session.connect();
    const deadlineMs = clock.nowMs() + lingerMs;
    for (;;) {
      const { rows } = await session.query<{ held: boolean }>(`select pg_try_advisory_lock(${holdKey}) as held`);
      if (rows[0]!.held) return session;
      if (clock.nowMs() > deadlineMs) throw await inUse(session, paths);
      await clock.sleep(5 * pollMs);
    }
  } catch (error) {
    hangUp(session);
    throw error;
  }
}

/** Not a goodbye that is waited for: at the port of a killed server may be a program that takes it and says nothing. */
function hangUp(session: pg.Client): void {
  (session as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

async function inUse(session: pg.Client, paths: ClusterPaths): Promise<Error> {
  const { rows } = await session.query<{ name: string }>(
    `select application_name as name from pg_locks join pg_stat_activity using (pid)
     where locktype = 'advisory' and granted and (classid::bigint << 32 | objid::bigint) = ${holdKey}`,
  );
  return new Error(
    `Another program (${rows[0]?.name ?? "unknown"}) is using the data folder ${paths.directory}. ` +
      `Stop it, or give this one a folder of its own: set ASHLAR_DATA. ${useOwnServer}`,
  );
}

function isNotReady(error: unknown): boolean {
  const { code, message } = error as { code?: string; message: string };
  // Refused or reset: not listening. 57P0x: starting up or shutting down. Without a code: the driver lost the connection.
  return code === undefined
    ? /^(Connection terminated|timeout expired)/.test(message)
    : /^(ECONNREFUSED|ECONNRESET|EPIPE|57P0\d)$/.test(code);
}

async function serverError(paths: ClusterPaths, spawned: SpawnedServer | undefined, what: string): Promise<Error> {
  return startError(
    `The embedded PostgreSQL server of ${paths.directory} ${what}.`,
    await lastLines(paths, spawned?.logStartBytes ?? 0),
  );
}
