// Peers are packages of their own, outside of the workspaces: who runs the project does not install them.

import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const folder = fileURLToPath(new URL("../peers/", import.meta.url));

/** The folder of a peer, with what its lock file names installed in it. */
export async function installPeer(name: string): Promise<string> {
  const directory = join(folder, name);
  const has = (path: string) =>
    access(join(directory, path)).then(
      () => true,
      () => false,
    );
  if ((await has("package-lock.json")) && !(await has("node_modules"))) {
    console.error(`Installing what bench/peers/${name} is made of (once)`);
    await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: directory });
  }
  return directory;
}
