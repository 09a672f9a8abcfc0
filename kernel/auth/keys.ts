// The Ed25519 keys that sign tokens, shared by every process that has the directory.
//
// All keys in the directory verify. The one that signs is the newest in force *at the moment the
// token names*, not now: the same claims signed again a moment later, after a rotation or by
// another process, still give the same bytes, which a retried refresh needs. A new key is therefore
// published before it is in force, and every process looks at the directory often enough to know it
// by then.
//
// Retiring a key ends every token that it signed. A key that has outlived them all is of no use to anybody,
// and goes with the next rotation; so rotating from time to time is all that needs to be done.

import { join } from "node:path";
import type { CryptoKey, JWK } from "jose";
import type { Clock, Random } from "../base/index.ts";
import { createKeyFile, readKeyFiles, removeKeyFile, type SigningKey } from "./key-files.ts";

/** How long a process may go on with the keys it has read: a retired key ends within this. */
const rereadAfterMs = 30_000;
/** How long a new key is known before it signs. Longer than `rereadAfterMs`, or a slow process would refuse its tokens. */
const publishedForMs = 2 * rereadAfterMs;
/** No token lives longer than a refresh token: this long after its last signature, a key can go unnoticed. */
export const longestTokenMs = 30 * 24 * 60 * 60_000;

export interface KeyState {
  readonly kid: string;
  /** `published` does not sign yet; `signs` is in force; `verifies` signs no more, and what it signed is good. */
  readonly state: "published" | "signs" | "verifies";
  readonly signsFromMs: number;
  /** When the last token it signed has expired; for one that `verifies`. */
  readonly neededUntilMs?: number;
}

export interface Keys {
  /** The key in force at that moment. */
  signingKey(atMs: number): Promise<Pick<SigningKey, "kid" | "privateKey">>;
  /** The public key of this id, or undefined: never made here, or retired. */
  verificationKey(kid: string): Promise<CryptoKey | undefined>;
  /** Whether the key of this id verifies, as far as that is known without looking at the directory again. */
  isKnown(kid: string): boolean;
  /** The public keys as a JWK Set (RFC 7517), also those that do not sign yet. */
  jwks(): Promise<{ keys: JWK[] }>;
  /** Every key, oldest first. */
  list(): Promise<KeyState[]>;
  /**
   * Makes a new key, in force after a minute, or later where the directory reaches other machines as a copy. The old ones
   * go on verifying until they are retired, which those are at once whose tokens have all expired. Returns the kid of the
   * new one.
   */
  rotate(signsAfterMs?: number): Promise<string>;
  /** Ends a key and with it every token it signed: at once here, within 30 seconds in other processes. */
  retire(kid: string): Promise<void>;
}

export interface KeysOptions {
  /** The keys lie in `keys/` below it, readable by this user only. */
  directory: string;
  clock: Clock;
  random: Random;
}

interface State {
  directory: string;
  clock: Clock;
  random: Random;
  keys: readonly SigningKey[];
  readAtMs: number;
  reading: Promise<void> | undefined;
}

/** Opens the directory and makes the first key when there is none. */
export async function openKeys({ directory, clock, random }: KeysOptions): Promise<Keys> {
  const state: State = { directory: join(directory, "keys"), clock, random, keys: [], readAtMs: 0, reading: undefined };
  await read(state);
  if (state.keys.length === 0) {
    await createKeyFile(state.directory, 1, clock.nowMs(), random);
    await read(state);
  }
  return {
    async signingKey(atMs) {
      await keepFresh(state);
      return inForce(state.keys, atMs);
    },
    async verificationKey(kid) {
      await keepFresh(state);
      return state.keys.find((key) => key.kid === kid)?.publicKey;
    },
    isKnown: (kid) => isFresh(state) && state.keys.some((key) => key.kid === kid),
    async jwks() {
      await keepFresh(state);
      return { keys: state.keys.map((key) => key.publicJwk) };
    },
    async list() {
      await keepFresh(state);
      return statesOf(state.keys, state.clock.nowMs());
    },
    rotate: (signsAfterMs = publishedForMs) => rotate(state, Math.max(signsAfterMs, publishedForMs)),
    retire: (kid) => retire(state, kid),
  };
}

function inForce(keys: readonly SigningKey[], atMs: number): SigningKey {
  // A moment before the first key (a clock that was set back) is signed by the first.
  return keys.findLast((key) => key.signsFromMs <= atMs) ?? keys[0]!;
}

function statesOf(keys: readonly SigningKey[], nowMs: number): KeyState[] {
  const signs = inForce(keys, nowMs);
  return keys.map((key, index) => {
    const { kid, signsFromMs } = key;
    if (key === signs) return { kid, state: "signs", signsFromMs };
    if (signsFromMs > nowMs) return { kid, state: "published", signsFromMs };
    return { kid, state: "verifies", signsFromMs, neededUntilMs: keys[index + 1]!.signsFromMs + longestTokenMs };
  });
}

function isFresh({ clock, readAtMs }: State): boolean {
  return Math.abs(clock.nowMs() - readAtMs) < rereadAfterMs;
}

async function keepFresh(state: State): Promise<void> {
  if (isFresh(state)) return;
  try {
    await (state.reading ??= read(state));
  } catch {
    // The keys in memory stay good while the directory is unreadable: better than refusing everyone.
    state.readAtMs = state.clock.nowMs();
  } finally {
    state.reading = undefined;
  }
}

async function read(state: State): Promise<void> {
  const keys = await readKeyFiles(state.directory);
  if (keys.length === 0 && state.keys.length > 0) throw new Error("The directory of signing keys is empty");
  state.keys = keys;
  state.readAtMs = state.clock.nowMs();
}

async function rotate(state: State, signsAfterMs: number): Promise<string> {
  await read(state);
  const number = state.keys.at(-1)!.number + 1;
  const nowMs = state.clock.nowMs();
  await createKeyFile(state.directory, number, nowMs + signsAfterMs, state.random);
  const outlived = statesOf(state.keys, nowMs).map(({ neededUntilMs = Infinity }) => neededUntilMs <= nowMs);
  for (const [index, key] of state.keys.entries())
    if (outlived[index]) await removeKeyFile(state.directory, key.number);
  await read(state);
  return state.keys.at(-1)!.kid;
}

async function retire(state: State, kid: string): Promise<void> {
  await read(state);
  const nowMs = state.clock.nowMs();
  const others = state.keys.filter((key) => key.kid !== kid);
  if (!others.some((key) => key.signsFromMs <= nowMs)) {
    throw new Error("This key cannot be retired: no other key is in force yet. Rotate, and wait a minute.");
  }
  for (const key of state.keys) if (key.kid === kid) await removeKeyFile(state.directory, key.number);
  await read(state);
}
