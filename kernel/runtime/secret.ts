import { hkdfSync } from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../base/index.ts";

const secretBytes = 32;

/**
 * The secret of this installation, made on first use and kept beside the keys. Two processes that start
 * at once end with one, and a disk that is full leaves none: it is written beside its place and linked there whole.
 */
export async function readOrCreateSecret(directory: string, random: Random): Promise<Uint8Array> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, "secret");
  const kept = await readSecret(path);
  if (kept !== undefined) return kept;
  const secret = random.bytes(secretBytes);
  const beside = `${path}.${Buffer.from(random.bytes(8)).toString("hex")}`;
  try {
    await writeWhole(beside, Buffer.from(secret).toString("hex"));
    await link(beside, path);
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return (await readSecret(path))!;
  } finally {
    await rm(beside, { force: true });
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readSecret(path: string): Promise<Uint8Array | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const secret = Buffer.from(text, "hex");
  if (secret.length === secretBytes) return secret;
  throw new Error(
    `${path} is damaged. Delete it: cursors handed out before will be refused, and mails that still wait to be sent will carry dead links. Nothing else is lost.`,
  );
}

/** A secret for one purpose, from which neither that of the installation nor any other can be told. */
export function deriveSecret(secret: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "", `ashlar ${purpose}`, secretBytes));
}
