// The directory that holds the signing keys: `0001.json`, `0002.json`, ... A file is written once and
// never changed; retiring a key removes its file.
//
// A file appears whole or not at all, and under a number only once: it is written under a name of
// its own, flushed, and then linked to the number. A link fails when the number is taken, which a
// rename does not, so of two processes that start at once with an empty directory one makes the key
// and the other reads it.

import { link, mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from "jose";
import { timestamp, type Random } from "../base/index.ts";

export interface SigningKey {
  /** RFC 7638 thumbprint, computed from the key and never read from a file or a token. */
  readonly kid: string;
  readonly number: number;
  /** From when on this key signs; until then it is only published, so that everyone knows it in time. */
  readonly signsFromMs: number;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly publicJwk: JWK;
}

const fileName = /^\d{4}\.json$/;

/** Every key in the directory, oldest first. An unreadable file is an error that names it. */
export async function readKeyFiles(directory: string): Promise<SigningKey[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = (await readdir(directory)).filter((name) => fileName.test(name)).toSorted();
  const keys = await Promise.all(names.map((name) => readKeyFile(directory, name)));
  return keys.filter((key) => key !== undefined);
}

async function readKeyFile(directory: string, name: string): Promise<SigningKey | undefined> {
  let text: string;
  try {
    text = await readFile(join(directory, name), "utf8");
  } catch (error) {
    // Retired by another process between the listing and the reading.
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
  try {
    return await signingKeyOf(Number(name.slice(0, 4)), text);
  } catch (cause) {
    throw new Error(`The key file ${name} is not one that Ashlar wrote. Restore it from a backup, or remove it.`, {
      cause,
    });
  }
}

async function signingKeyOf(number: number, text: string): Promise<SigningKey> {
  const { signsFrom, key } = JSON.parse(text) as { signsFrom: string; key: JWK };
  const signsFromMs = Date.parse(signsFrom);
  const { kty, crv, x, d } = key;
  if (Number.isNaN(signsFromMs) || kty !== "OKP" || crv !== "Ed25519" || x === undefined || d === undefined) {
    throw new Error("A key file holds signsFrom and an Ed25519 private key");
  }
  const kid = await calculateJwkThumbprint({ kty, crv, x });
  return {
    kid,
    number,
    signsFromMs,
    privateKey: (await importJWK({ kty, crv, x, d }, "EdDSA")) as CryptoKey,
    publicKey: (await importJWK({ kty, crv, x }, "EdDSA")) as CryptoKey,
    publicJwk: { kty, crv, x, kid, use: "sig", alg: "EdDSA" },
  };
}

/** Makes a key under this number. When another process took the number first, its key stays and this does nothing. */
export async function createKeyFile(
  directory: string,
  number: number,
  signsFromMs: number,
  random: Random,
): Promise<void> {
  const pair = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const { kty, crv, x, d } = await exportJWK(pair.privateKey);
  const content = `${JSON.stringify({ signsFrom: timestamp(signsFromMs), key: { kty, crv, x, d } }, null, 2)}\n`;
  const draft = join(directory, `.draft-${Buffer.from(random.bytes(12)).toString("hex")}`);
  try {
    await writeFlushed(draft, content);
    await link(draft, join(directory, keyFileName(number)));
    await flushDirectory(directory);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

export async function removeKeyFile(directory: string, number: number): Promise<void> {
  await rm(join(directory, keyFileName(number)), { force: true });
}

function keyFileName(number: number): string {
  return `${String(number).padStart(4, "0")}.json`;
}

async function writeFlushed(path: string, content: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function flushDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
