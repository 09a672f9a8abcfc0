// The documents as they were: in the working tree, in a folder, or in a commit.

import { execFile } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { UsageError } from "./errors.ts";

export interface EarlierDocuments {
  /** For messages: `commit main`, `the folder ../released`. */
  readonly name: string;
  /** The text of a document, by its path from the root of the app; undefined when there was none. */
  read(path: string): Promise<string | undefined>;
  /** Every document below the folder of the services, those of services that are gone included. */
  list(services: string): Promise<string[]>;
}

const documentFile = /^[^/]+\/(?:openapi|asyncapi)\.json$/;

export async function earlierDocuments(root: string, against?: string): Promise<EarlierDocuments> {
  if (against === undefined) return inFolder(root, "the files");
  const folder = resolve(against);
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? inFolder(folder, `the folder ${against}`) : inCommit(root, against);
}

function inFolder(folder: string, name: string): EarlierDocuments {
  return {
    name,
    read: (path) => readIfThere(join(folder, path)),
    async list(services) {
      const names = await readdir(join(folder, services), { recursive: true }).catch(onlyIfThere([]));
      return documentsIn(services, names);
    },
  };
}

async function inCommit(root: string, ref: string): Promise<EarlierDocuments> {
  const git = async (...args: string[]) =>
    (await promisify(execFile)("git", args, { cwd: root, maxBuffer: documentBytesMax })).stdout;
  const commit = await git("rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`).catch(
    (cause: unknown) => {
      throw new UsageError(`--against ${ref} is neither a folder nor a commit that git knows here`, { cause });
    },
  );
  const files = async (path: string) =>
    (await git("ls-tree", "-r", "-z", "--name-only", commit.trim(), "--", path))
      .split("\0")
      .filter((name) => name !== "");
  return {
    name: `commit ${ref}`,
    async read(path) {
      return (await files(path)).length === 0 ? undefined : git("show", `${commit.trim()}:./${path}`);
    },
    async list(services) {
      const names = (await files(services)).map((path) => path.slice(services.length + 1));
      return documentsIn(services, names);
    },
  };
}

const documentBytesMax = 64 * 1024 * 1024;

function documentsIn(services: string, names: readonly string[]): string[] {
  return names
    .filter((name) => documentFile.test(name))
    .toSorted()
    .map((name) => `${services}/${name}`);
}

function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(onlyIfThere(undefined));
}

/** What stands for a file that is not there. */
function onlyIfThere<T>(nothing: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT") return nothing;
    throw error;
  };
}
