// Which operating system user the embedded server runs as.
//
// PostgreSQL refuses to run as root, and in a container we usually are root. Then the server runs
// as an unprivileged user, with one capability more than that user has: to pass folders it may not
// enter, since both the data and node_modules often lie below one that is root's alone (/root/shop).
// The capability comes from `setpriv` (util-linux). CAP_DAC_READ_SEARCH is the smaller one and
// preferred; Docker's default set has only CAP_DAC_OVERRIDE. Where neither can be had, plain uid
// and gid do, provided that the folders are open to others.

import { chmod, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { run, useOwnServer, type Binaries } from "./embedded-binaries.ts";

export interface ServerUser {
  /** Who owns the data folder; undefined when the server runs as we do. */
  owner?: { uid: number; gid: number };
  /** True when the server enters folders only as its user may. */
  needsOpenFolders: boolean;
  commandOf(
    file: string,
    args: readonly string[],
  ): { file: string; args: string[]; spawnOptions: { uid?: number; gid?: number } };
}

const ourselves: ServerUser = {
  needsOpenFolders: false,
  commandOf: (file, args) => ({ file, args: [...args], spawnOptions: {} }),
};

/** Chooses the user for a data folder that may exist already, in which case its owner is kept. */
export async function chooseServerUser(dataDirectory: string, binaries: Binaries): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return ourselves;
  const owner = (await ownerOf(dataDirectory)) ?? (await unprivilegedUser());
  const candidates = [capable(owner, "dac_read_search"), capable(owner, "dac_override"), plain(owner)];
  const failures: string[] = [];
  for (const user of candidates) {
    const { code, output } = await run(user, binaries.postgres, ["--version"]);
    if (code === 0) return user;
    failures.push(output.trim());
  }
  throw new Error(
    `The embedded PostgreSQL server cannot be run as the unprivileged user ${owner.uid} (${failures.at(-1)}). ` +
      `Install util-linux (setpriv), run as a user other than root, or move the project out of a folder only root can enter. ${useOwnServer}`,
  );
}

/**
 * Without the capability every folder on the way must let others pass (not read: 0711 will do).
 * Opens the data folder itself, which is ours, and names the first of the others that is shut.
 */
export async function openFolders(directory: string): Promise<void> {
  await chmod(directory, (await stat(directory)).mode | 0o111);
  for (let folder = directory; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) {
      throw new Error(
        `The embedded PostgreSQL server runs as an unprivileged user, who may not enter ${folder}. ` +
          `Install util-linux (setpriv), or set ASHLAR_DATA to a folder elsewhere (for instance /var/lib/ashlar). ${useOwnServer}`,
      );
    }
    if (folder === dirname(folder)) return;
  }
}

function plain(owner: { uid: number; gid: number }): ServerUser {
  return { owner, needsOpenFolders: true, commandOf: (file, args) => ({ file, args: [...args], spawnOptions: owner }) };
}

function capable(owner: { uid: number; gid: number }, capability: string): ServerUser {
  const privileges = [
    `--reuid=${owner.uid}`,
    `--regid=${owner.gid}`,
    "--clear-groups",
    `--inh-caps=-all,+${capability}`,
    `--ambient-caps=-all,+${capability}`,
  ];
  return {
    owner,
    needsOpenFolders: false,
    commandOf: (file, args) => ({ file: "setpriv", args: [...privileges, "--", file, ...args], spawnOptions: {} }),
  };
}

async function ownerOf(path: string): Promise<{ uid: number; gid: number } | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined || found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid };
}

/** initdb wants a user that /etc/passwd knows: `postgres` where there is one, else `nobody`. */
async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
  const lines = (await readFile("/etc/passwd", "utf8").catch(() => "")).split("\n").map((line) => line.split(":"));
  const found = lines.find(([name]) => name === "postgres") ?? lines.find(([name]) => name === "nobody");
  const [uid, gid] = [Number(found?.[2]), Number(found?.[3])];
  // macOS writes nobody as -2.
  return Number.isInteger(uid) && uid > 0 && Number.isInteger(gid) ? { uid, gid } : { uid: 65_534, gid: 65_534 };
}
