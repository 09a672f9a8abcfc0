// `ashlar keys`: the keys that sign tokens. JSON lines on stdout, nothing else; the app may be running or
// not. Whatever runs on the same data folder looks at it twice a minute and needs no restart.

import { access } from "node:fs/promises";
import { type Keys, type KeyState, openKeys } from "../auth/index.ts";
import { type Clock, systemClock, systemRandom, timestamp } from "../base/index.ts";
import { readOrCreateSecret } from "../runtime/index.ts";
import { findApp, settingsOf } from "./find-app.ts";

interface KeyLine {
  kid: string;
  state: KeyState["state"];
  signsFrom: string;
  neededUntil?: string;
}

export async function list(clock: Clock = systemClock): Promise<KeyLine[]> {
  const { dataDirectory } = settingsOf(await findApp()).system;
  // Opening makes the first key; who only looks should leave nothing behind.
  const isThere = await access(dataDirectory).then(
    () => true,
    () => false,
  );
  return isThere ? (await (await open(clock)).list()).map(lineOf) : [];
}

/**
 * Makes what the processes of one installation share, the secret and the first key, unless they are there. Started on one
 * folder they do so themselves; on several machines each gets a copy of the folder, which it may only read.
 */
export async function create(clock: Clock = systemClock): Promise<KeyLine[]> {
  const { dataDirectory } = settingsOf(await findApp()).system;
  await readOrCreateSecret(dataDirectory, systemRandom);
  return (await (await open(clock)).list()).map(lineOf);
}

/** Makes a new key. What the old ones signed stays good; those that have outlived all of it are removed. */
export async function rotate(
  clock: Clock = systemClock,
  { signsAfter }: { signsAfter?: number } = {},
): Promise<KeyLine[]> {
  const keys = await open(clock);
  const kid = await keys.rotate(signsAfter);
  return (await keys.list()).filter((key) => key.kid === kid).map(lineOf);
}

/** Ends a key, and with it every token that it signed: refused while there may be some, unless `now`. */
export async function retire(
  kid: string,
  { now }: { now?: boolean },
  clock: Clock = systemClock,
): Promise<{ retired: string }[]> {
  const keys = await open(clock);
  const key = (await keys.list()).find((one) => one.kid === kid);
  if (key === undefined) throw new Error(`There is no key ${kid}. \`ashlar keys list\` lists them.`);
  const { neededUntilMs } = key;
  if (now !== true && neededUntilMs !== undefined && neededUntilMs > clock.nowMs()) {
    throw new Error(
      `Tokens that this key signed are good until ${timestamp(neededUntilMs)}. With --now they end, and whoever holds one signs in again.`,
    );
  }
  await keys.retire(kid);
  return [{ retired: kid }];
}

export function print(lines: readonly object[]): void {
  for (const line of lines) process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function open(clock: Clock): Promise<Keys> {
  const { dataDirectory } = settingsOf(await findApp()).system;
  return openKeys({ directory: dataDirectory, clock, random: systemRandom });
}

function lineOf({ kid, state, signsFromMs, neededUntilMs }: KeyState): KeyLine {
  const signsFrom = timestamp(signsFromMs);
  return { kid, state, signsFrom, ...(neededUntilMs !== undefined && { neededUntil: timestamp(neededUntilMs) }) };
}
