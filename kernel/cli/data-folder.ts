// The folder of an app: its PostgreSQL where it runs one, its keys and its secret.
//
// An app whose databases are configured writes nothing there once the keys and the secret are made. On several machines each
// process then has a copy of them, mounted so that it can only be read.

import { access, constants, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { SystemSettings } from "../runtime/index.ts";

const troubles: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOTDIR: "a part of the path is a file",
  EEXIST: "it is a file",
  ENOSPC: "the disk is full",
};

/** `requireWritable` is for tests, which root may run, to whom the file system denies nothing. */
export async function requireFolder(
  { dataDirectory: path, databaseUrls }: Pick<SystemSettings, "dataDirectory" | "databaseUrls">,
  requireWritable = (folder: string) => access(folder, constants.W_OK),
): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.R_OK | constants.X_OK);
    await requireWritable(path);
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    const trouble = troubles[code] ?? message;
    if (Object.values(databaseUrls).includes(undefined) || !(await canBeRead(path)))
      throw new Error(`The data folder ${path} cannot be used: ${trouble}. Choose another with ASHLAR_DATA.`, {
        cause,
      });
    if (!(await isFilled(path)))
      throw new Error(
        `The data folder ${path} cannot be written to (${trouble}), and it lacks the secret or a key. Make them where it can, with \`ashlar keys create\`, and bring a copy here.`,
        { cause },
      );
  }
}

async function canBeRead(path: string): Promise<boolean> {
  return access(path, constants.R_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function isFilled(path: string): Promise<boolean> {
  const [names, keys] = await Promise.all(
    [path, join(path, "keys")].map((one) => readdir(one).catch((): string[] => [])),
  );
  return names!.includes("secret") && keys!.some((name) => name.endsWith(".json"));
}
