import { hkdfSync } from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../base/index.ts";

const secretBytes = 32;

/**
 * The secret of this installation, made on first use and kept beside the keys. Two processes that start
 * at once end with one: the file is created exclusively, and who comes second reads it.
 */
export async function readOrCreateSecret(directory: string, random: Random): Promise<Uint8Array> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, "secret");
  try {
    const file = await open(path, "wx", 0o600);
    const secret = random.bytes(secretBytes);
    await file.writeFile(Buffer.from(secret).toString("hex"));
    await file.sync();
    await file.close();
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const secret = Buffer.from(await readFile(path, "utf8"), "hex");
    if (secret.length !== secretBytes)
      throw new Error(
        `${path} is damaged. Delete it: cursors handed out before will be refused, and mails that still wait to be sent will carry dead links. Nothing else is lost.`,
        { cause: error },
      );
    return secret;
  }
}

/** A secret for one purpose, from which neither that of the installation nor any other can be told. */
export function deriveSecret(secret: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "", `ashlar ${purpose}`, secretBytes));
}
