import { hkdfSync } from "node:crypto";
import { existsSync } from "node:fs";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../base/index.ts";

const secretBytes = 32;

/**
 * The secret of this installation, made on first use and kept beside the keys. It appears whole or not at all, and once:
 * of processes that start at the same time on an empty folder one makes it and the others read it.
 */
export async function readOrCreateSecret(directory: string, random: Random): Promise<Uint8Array> {
  const path = join(directory, "secret");
  // Looked for first: a copy on another machine may be one that can only be read.
  if (existsSync(path)) return readSecret(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const draft = join(directory, `.draft-${Buffer.from(random.bytes(12)).toString("hex")}`);
  try {
    await using file = await open(draft, "wx", 0o600);
    await file.writeFile(Buffer.from(random.bytes(secretBytes)).toString("hex"));
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return readSecret(path);
}

async function readSecret(path: string): Promise<Uint8Array> {
  const secret = Buffer.from(await readFile(path, "utf8"), "hex");
  if (secret.length !== secretBytes)
    throw new Error(
      `${path} is damaged. Delete it: cursors handed out before will be refused, and mails that still wait to be sent will carry dead links. Nothing else is lost.`,
    );
  return secret;
}

/** A secret for one purpose, from which neither that of the installation nor any other can be told. */
export function deriveSecret(secret: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "", `ashlar ${purpose}`, secretBytes));
}
