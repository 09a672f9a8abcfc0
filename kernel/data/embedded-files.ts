// What an embedded cluster keeps in its folder, and who may read it.
//
//   postgres/      the data, owned by the user the server runs as
//   postgres.json  passwords and the last port, 0600
//   postgres.log   what the server says, 0600; the previous one is kept once it has grown

import { link, open, readFile, rename, rm, stat, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../base/index.ts";

export interface ClusterPaths {
  directory: string;
  data: string;
  secrets: string;
  log: string;
}

export interface Secrets {
  port?: number;
  adminPassword: string;
  /** By role; a role is named like its database. */
  passwords: Record<string, string>;
}

const logBytesMax = 10 * 1024 * 1024;

export function pathsOf(directory: string): ClusterPaths {
  return {
    directory,
    data: join(directory, "postgres"),
    secrets: join(directory, "postgres.json"),
    log: join(directory, "postgres.log"),
  };
}

export function newPassword(random: Random): string {
  return Buffer.from(random.bytes(24)).toString("base64url");
}

/** The secrets of the cluster. Of two processes that make them at once one wins, and both read its. */
export async function readOrCreateSecrets(paths: ClusterPaths, random: Random): Promise<Secrets> {
  const existing = await readSecrets(paths);
  if (existing !== undefined) return existing;
  if ((await stat(paths.data).catch(() => undefined)) !== undefined) {
    throw new Error(
      `${paths.secrets} is gone, and with it the passwords of the PostgreSQL cluster beside it. ` +
        `Restore the file, or delete ${paths.data} to begin with empty databases.`,
    );
  }
  const temporary = `${paths.secrets}.${newPassword(random)}`;
  await writeFile(temporary, format({ adminPassword: newPassword(random), passwords: {} }), { mode: 0o600 });
  try {
    await link(temporary, paths.secrets);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  return (await readSecrets(paths))!;
}

export async function readSecrets(paths: ClusterPaths): Promise<Secrets | undefined> {
  try {
    return JSON.parse(await readFile(paths.secrets, "utf8")) as Secrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`${paths.secrets} cannot be read. It belongs to the user who first started this cluster.`, {
      cause: error,
    });
  }
}

/** Replaces the file in one step. Only the process that holds the cluster may call this. */
export async function writeSecrets(paths: ClusterPaths, secrets: Secrets): Promise<void> {
  const temporary = `${paths.secrets}.new`;
  await writeFile(temporary, format(secrets), { mode: 0o600 });
  await rename(temporary, paths.secrets);
}

function format(secrets: Secrets): string {
  return `${JSON.stringify(secrets, null, 2)}\n`;
}

/** Opens the log for appending and tells where this run's lines begin. */
export async function openLog(paths: ClusterPaths): Promise<{ file: FileHandle; startBytes: number }> {
  const size = (await stat(paths.log).catch(() => undefined))?.size ?? 0;
  if (size > logBytesMax) await rename(paths.log, `${paths.log}.old`);
  const file = await open(paths.log, "a", 0o600);
  return { file, startBytes: size > logBytesMax ? 0 : size };
}

/** The last lines the server wrote since `startBytes`. */
export async function lastLines(paths: ClusterPaths, startBytes: number, lines = 15): Promise<string> {
  const content = await readFile(paths.log).catch(() => Buffer.alloc(0));
  return content.subarray(startBytes).toString("utf8").trimEnd().split("\n").slice(-lines).join("\n");
}
