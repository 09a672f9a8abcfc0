// A real PostgreSQL server that starts and stops with the program: nothing to install, no Docker.
//
// One cluster per data folder, and one program per cluster. A server that outlived its program
// (kill -9) is taken over by the next one as it is: it is healthy, warm, and has the data.

import { mkdir, realpath } from "node:fs/promises";
import type { Clock, Logger, Random } from "../base/index.ts";
import { findBinaries } from "./embedded-binaries.ts";
import { pathsOf, readOrCreateSecrets, readSecrets, type ClusterPaths } from "./embedded-files.ts";
import { holdServer, type HeldServer, type HoldOptions } from "./embedded-hold.ts";
import { runningServer } from "./embedded-record.ts";
import { assertDatabaseName, urlsOf, type ClusterUrls } from "./embedded-roles.ts";
import { clusterExists, initialiseCluster } from "./embedded-server.ts";
import { chooseServerUser, openFolders } from "./embedded-user.ts";

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

export interface EmbeddedPostgres extends ClusterUrls {
  pid: number;
  /** Ends every session and stops the server, with all data on disk. Safe to repeat. */
  stop(): Promise<void>;
}

const version = 18;
const stopTimeoutMs = 30_000;
/** Between two tries to get a lost server back. */
const againMs = 5_000;
const pollMs = 20;

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
  const starting: HoldOptions = {
    ...options,
    durable: options.durable ?? true,
    maxConnections: options.maxConnections ?? 100,
    names,
    paths,
    binaries,
    user,
    secrets,
  };
  const held = await holdServer(starting);
  const { onProgress: _onProgress, ...quietly } = starting;
  watch(held, quietly);
  let stopping: Promise<void> | undefined;
  return {
    ...urlsOf(held.port, secrets),
    get pid() {
      return held.pid;
    },
    stop: () => (stopping ??= stop(held, paths, options.clock)),
  };
}

/** The urls of a cluster that runs now, for a tool that wants to look inside; else undefined. */
export async function attachEmbeddedPostgres(directory: string): Promise<ClusterUrls | undefined> {
  const real = await realpath(directory).catch(() => undefined);
  if (real === undefined) return undefined;
  const paths = pathsOf(real);
  const server = await runningServer(paths);
  const secrets = server && (await readSecrets(paths));
  return server && secrets && urlsOf(server.port, secrets);
}

/**
 * Holds the server again when the session that held it ends: after a crash of one of its processes
 * PostgreSQL ends all sessions and recovers; after a crash of the whole server it is started again.
 */
function watch(held: HeldServer, starting: HoldOptions): void {
  const { log, paths } = starting;
  held.session.once("end", () => {
    if (held.stopping) return;
    log.warn({ pid: held.pid, log: paths.log }, "The embedded PostgreSQL server ended its sessions; waiting for it");
    held.recovering = recover(held, starting);
  });
}

/** Whatever is in the way (a full disk, another program on the folder) may be gone the next time. Never rejects. */
async function recover(held: HeldServer, starting: HoldOptions): Promise<void> {
  const { clock, log, paths } = starting;
  for (let tries = 1; !held.stopping; tries++) {
    const again = await holdAgain(held, starting).catch((err: unknown) => {
      if (!held.stopping)
        log.error({ err, tries, log: paths.log }, "The embedded PostgreSQL server is not back; trying again");
    });
    if (again !== undefined) {
      Object.assign(held, { pid: again.pid, session: again.session });
      log.info({ pid: held.pid }, "The embedded PostgreSQL server is back");
      return watch(held, starting);
    }
    for (let waited = 0; waited < againMs && !held.stopping; waited += pollMs) await clock.sleep(pollMs);
  }
}

async function holdAgain(held: HeldServer, starting: HoldOptions): Promise<HeldServer> {
  const again = await holdServer({ ...starting, port: held.port, isGivenUp: () => held.stopping });
  if (again.port === held.port) return again;
  await again.session.end();
  throw new Error(`Another program serves the databases at port ${again.port}; they are known at ${held.port}`);
}

async function stop(held: HeldServer, paths: ClusterPaths, clock: Clock): Promise<void> {
  held.stopping = true;
  await held.recovering;
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
