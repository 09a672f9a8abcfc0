// Which process serves a cluster now.
//
// `postmaster.pid` in the data folder is PostgreSQL's own record of the process that serves it and
// of its port, so it is read rather than a copy of ours. It outlives a crash; then its pid may
// belong to a stranger (in a container, where pids start again, it often does), and PostgreSQL
// would refuse to start. A pid therefore counts only when its command line names this folder.

import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ClusterPaths } from "./embedded-files.ts";

export interface RunningServer {
  pid: number;
  port: number;
}

/** The server that is serving this cluster now, whoever started it. */
export async function runningServer(paths: ClusterPaths): Promise<RunningServer | undefined> {
  const record = await readRecord(paths);
  return record !== undefined && (await isServerOf(paths, record.pid)) ? record : undefined;
}

/** Takes away the record of a server that is no more when its pid now belongs to a stranger; PostgreSQL sees to the others. */
export async function removeMisleadingRecord(paths: ClusterPaths): Promise<void> {
  const record = await readRecord(paths);
  if (record === undefined || !isAlive(record.pid) || (await isServerOf(paths, record.pid))) return;
  await rm(recordPath(paths), { force: true });
}

async function readRecord(paths: ClusterPaths): Promise<RunningServer | undefined> {
  const lines = (await readFile(recordPath(paths), "utf8").catch(() => "")).split("\n");
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  return Number.isInteger(pid) && pid > 0 && Number.isInteger(port) ? { pid, port } : undefined;
}

function recordPath(paths: ClusterPaths): string {
  return join(paths.data, "postmaster.pid");
}

async function isServerOf(paths: ClusterPaths, pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (platform() === "win32") return true;
  // A zombie has an empty command line: in a container nobody may be there to collect it.
  const commandLine =
    platform() === "linux" ? await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "") : await commandLineOf(pid);
  return commandLine.includes(paths.data);
}

async function commandLineOf(pid: number): Promise<string> {
  const { stdout } = await promisify(execFile)("ps", ["-ww", "-o", "command=", "-p", String(pid)]).catch(() => ({
    stdout: "",
  }));
  return stdout;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
