// Peers are packages of their own, outside of the workspaces: who runs the project does not install them.

import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const folder = fileURLToPath(new URL("../peers/", import.meta.url));

const ready = new Map<string, Promise<string>>();

/** The folder of a peer, with what its lock file names installed in it, compiled where it has to be. */
export function installPeer(name: string): Promise<string> {
  if (!ready.has(name)) ready.set(name, install(name));
  return ready.get(name)!;
}

async function install(name: string): Promise<string> {
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
  // Of TypeScript node only strips the types, and decorators are more than that.
  if (await has("tsconfig.json")) await run("npm", ["run", "build"], { cwd: directory });
  return directory;
}
