// A real PostgreSQL server that starts and stops with the program: nothing to install, no Docker.
//
// One cluster per data folder, and one program per cluster: while it runs, the program holds an
// advisory lock on a connection of its own. The lock dies with the program, however that dies,
// which a lock file would not. A server that outlived its program is therefore one whose lock is
// free, and the next program takes it over as it is: it is healthy, warm, and has the data.

import { mkdir, realpath } from "node:fs/promises";
import pg from "pg";
import type { Clock, Logger, Random } from "../base/index.ts";
import { findBinaries, useOwnServer, type Binaries } from "./embedded-binaries.ts";
import {
  lastLines,
  pathsOf,
  readOrCreateSecrets,
  readSecrets,
  type ClusterPaths,
  type Secrets,
} from "./embedded-files.ts";
import { assertDatabaseName, provision } from "./embedded-roles.ts";
import {
  adminRole,
  clusterExists,
  freePort,
  initialiseCluster,
  removeMisleadingRecord,
  runningServer,
  spawnServer,
  startError,
  type SpawnedServer,
} from "./embedded-server.ts";
import { openFolders, chooseServerUser, type ServerUser } from "./embedded-user.ts";

export interface EmbeddedPostgresOptions {
  /** The program's data folder. The cluster lives in `postgres` below it. */
  directory: string;
  databases: readonly { name: string }[];
  log: Logger;
  clock: Clock;
  random: Random;
  /** For a person who waits: what takes time, in a sentence. */
  onProgress?: (message: string) => void;
  /** False gives up surviving a power cut for speed. For tests only. */
  durable?: boolean;
  maxConnections?: number;
}

export interface EmbeddedPostgres {
  /** The connection URL of a database, as its own role. */
  urlOf(name: string): string;
  adminUrl: string;
  pid: number;
  /** Ends every session and stops the server, with all data on disk. Safe to repeat. */
  stop(): Promise<void>;
}

const version = 18;
const startTimeoutMs = 60_000;
const stopTimeoutMs = 30_000;
/** How long a dead program's session may linger in the server before its lock counts as held. */
const lingerMs = 3_000;
const pollMs = 20;
const portAttempts = 5;
/** Any constant will do; the cluster is ours alone. */
const holdKey = 4_185_700_901;

/**
 * Starts the cluster of a folder, creating it the first time, and makes the databases that are
 * missing. Takes over a server left behind by a killed program. Refuses when another program uses
 * the folder, and when the server cannot run here; the message says what to do.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const names = options.databases.map(({ name }) => name);
  names.forEach(assertDatabaseName);
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const paths = pathsOf(await realpath(options.directory));
  const binaries = await findBinaries();
  const user = await chooseServerUser(paths.data, binaries);
  if (user.needsOpenFolders) await openFolders(paths.directory);
  const secrets = await readOrCreateSecrets(paths, options.random);
  if (!(await clusterExists(paths, version))) {
    options.onProgress?.("Creating a PostgreSQL cluster (once)");
    await initialiseCluster(paths, {
      binaries,
      user,
      adminPassword: secrets.adminPassword,
      durable: options.durable ?? true,
    });
  }
  const held = await obtainServer({ ...options, paths, binaries, user, secrets }, names);
  watch(held, paths, options.log);
  let stopping: Promise<void> | undefined;
  return {
    ...urlsOf(held.port, secrets),
    pid: held.pid,
    stop: () => (stopping ??= stop(held, paths, options.clock)),
  };
}

/** The urls of a cluster that runs now, for a tool that wants to look inside; else undefined. */
export async function attachEmbeddedPostgres(
  directory: string,
): Promise<Pick<EmbeddedPostgres, "urlOf" | "adminUrl"> | undefined> {
  const real = await realpath(directory).catch(() => undefined);
  if (real === undefined) return undefined;
  const paths = pathsOf(real);
  const server = await runningServer(paths);
  const secrets = server && (await readSecrets(paths));
  return server && secrets && urlsOf(server.port, secrets);
}

function urlsOf(port: number, secrets: Secrets): Pick<EmbeddedPostgres, "urlOf" | "adminUrl"> {
  const url = (role: string, password: string, database: string) =>
    `postgres://${role}:${password}@127.0.0.1:${port}/${database}`;
  return {
    adminUrl: url(adminRole, secrets.adminPassword, "postgres"),
    urlOf(name) {
      const password = secrets.passwords[name];
      if (password === undefined)
        throw new Error(`The embedded PostgreSQL server has no database "${name}". Name it in "databases".`);
      return url(name, password, name);
    },
  };
}

interface Starting extends EmbeddedPostgresOptions {
  paths: ClusterPaths;
  binaries: Binaries;
  user: ServerUser;
  secrets: Secrets;
}

interface Held {
  pid: number;
  port: number;
  /** The session whose lock says that the cluster is ours. */
  session: pg.Client;
  stopping: boolean;
}

/** Looks, starts a server if there is none, tries to hold it; again, until held or out of time. */
async function obtainServer(starting: Starting, names: readonly string[]): Promise<Held> {
  const { clock, paths, secrets } = starting;
  const deadlineMs = clock.nowMs() + startTimeoutMs;
  let spawned: SpawnedServer | undefined;
  let attempts = 0;
  let lastFailure: unknown;
  for (; clock.nowMs() < deadlineMs; await clock.sleep(pollMs)) {
    const server = await runningServer(paths);
    if (server === undefined) {
      if (spawned !== undefined && spawned.child.exitCode === null && spawned.child.signalCode === null) continue;
      if (attempts++ === portAttempts) throw await serverError(paths, spawned, "did not start");
      await removeMisleadingRecord(paths);
      starting.onProgress?.("Starting PostgreSQL");
      const port = await freePort(attempts === 1 ? secrets.port : 0);
      // Of two programs that get here at once one server wins PostgreSQL's own lock, and both look at that one.
      spawned = await spawnServer(paths, {
        ...starting,
        port,
        durable: starting.durable ?? true,
        maxConnections: starting.maxConnections ?? 100,
      });
      continue;
    }
    try {
      const session = await hold(server.port, starting);
      secrets.port = server.port;
      await provision(session, paths, secrets, names, starting.random);
      if (spawned?.child.pid !== server.pid)
        starting.log.info({ pid: server.pid }, "Took over a PostgreSQL server whose program had died");
      // From here on the session only says who holds the cluster; it is no reason for the program to go on.
      (session as pg.Client & { unref(): void }).unref();
      return { ...server, session, stopping: false };
    } catch (error) {
      // Not up yet, or going down: look again.
      if (!isNotReady(error)) throw error;
      lastFailure = error;
    }
  }
  throw Object.assign(await serverError(paths, spawned, `was not ready within ${startTimeoutMs / 1000} s`), {
    cause: lastFailure,
  });
}

/** Opens the session that says the cluster is ours. Refuses when another program has it. */
async function hold(port: number, { paths, secrets, clock }: Starting): Promise<pg.Client> {
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
    await session.end().catch(() => {});
    throw error;
  }
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
    ? /Connection terminated|timeout/.test(message)
    : /^(ECONNREFUSED|ECONNRESET|EPIPE|57P0\d)$/.test(code);
}

async function serverError(paths: ClusterPaths, spawned: SpawnedServer | undefined, what: string): Promise<Error> {
  return startError(
    `The embedded PostgreSQL server of ${paths.directory} ${what}.`,
    await lastLines(paths, spawned?.logStartBytes ?? 0),
  );
}

/** Says so when the server ends by itself. The session is the one connection that always is. */
function watch(held: Held, paths: ClusterPaths, log: Logger): void {
  held.session.once("end", () => {
    if (!held.stopping)
      log.error({ pid: held.pid, log: paths.log }, "The embedded PostgreSQL server has gone away; restart the program");
  });
}

async function stop(held: Held, paths: ClusterPaths, clock: Clock): Promise<void> {
  held.stopping = true;
  // SIGINT is a fast shutdown: sessions are ended, data is written. SIGQUIT leaves recovery to the next start.
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    if ((await runningServer(paths))?.pid !== held.pid) return;
    process.kill(held.pid, signal);
    const deadlineMs = clock.nowMs() + stopTimeoutMs;
    while (clock.nowMs() < deadlineMs) {
      if ((await runningServer(paths))?.pid !== held.pid) return;
      await clock.sleep(pollMs);
    }
  }
  throw new Error(`The embedded PostgreSQL server of ${paths.directory} (process ${held.pid}) does not stop.`);
}
