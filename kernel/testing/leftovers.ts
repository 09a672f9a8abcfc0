// What a killed test run left behind: servers that run on, and their folders, known by its pid in their names.

import { readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Followed by the pid of the process whose folder it is. */
export const temporaryPrefix = "ashlar-test-";
export const redisPidFile = "redis.pid";
export const natsPidFile = "nats.pid";

export async function clearLeftovers(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(temporaryPrefix));
  for (const name of names) {
    const owner = Number(name.slice(temporaryPrefix.length).split("-")[0]);
    if (!Number.isInteger(owner) || isAlive(owner)) continue;
    await clearLeftover(join(tmpdir(), name)).catch(() => {});
  }
}

async function clearLeftover(directory: string): Promise<void> {
  const data = join(directory, "postgres");
  const postgres = await pidIn(join(data, "postmaster.pid"));
  if ((await commandLineOf(postgres)).includes(data)) kill(postgres, "SIGQUIT");
  const nats = await pidIn(join(directory, natsPidFile));
  if ((await commandLineOf(nats)).includes(directory)) kill(nats, "SIGKILL");
  // Redis writes over its command line; the folder it works in stays.
  const redis = await pidIn(join(directory, redisPidFile));
  if ((await readlink(`/proc/${redis}/cwd`).catch(() => "")) === directory) kill(redis, "SIGKILL");
  await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

function commandLineOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
}

async function pidIn(file: string): Promise<number> {
  return Number((await readFile(file, "utf8").catch(() => "")).split("\n")[0]);
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
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
