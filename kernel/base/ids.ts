// Ids: UUIDv7 inside (RFC 9562), TypeIDs outside (`usr_01h...`, TypeID specification 0.3).

import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";

/** A time-ordered UUID. Two made in the same millisecond are ordered by chance. */
export function uuidv7(clock: Clock, random: Random): string {
  return uuidv7From(clock.nowMs(), random.bytes(10));
}

/** The UUIDv7 of a moment and ten bytes: the same inputs give the same id. */
export function uuidv7From(ms: number, entropy: Uint8Array): string {
  const bytes = new Uint8Array(16);
  let rest = ms;
  for (let index = 5; index >= 0; index--) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(entropy.subarray(0, 10), 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return formatUuid(bytes);
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
/** By the code of a letter. */
const digits = new Uint8Array(128);
for (const [value, letter] of [...alphabet].entries()) digits[letter.charCodeAt(0)] = value;
const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const [dash, digit0, digit9, letterA] = [0x2d, 0x30, 0x39, 0x61];
const prefixPattern = /^([a-z]([a-z_]{0,61}[a-z])?)?$/;
const suffixPattern = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The TypeID of a uuid: `encodeId("usr", uuid)`. */
export function encodeId(prefix: string, uuid: string): string {
  if (!prefixPattern.test(prefix)) throw new Error(`"${prefix}" is not a TypeID prefix`);
  if (!uuidPattern.test(uuid)) throw new Error("encodeId takes a lower-case uuid");
  // 26 letters hold 130 bits: two zeros come before the 128. No BigInt, since a page of rows has dozens of ids.
  let suffix = "";
  let rest = 0;
  let restBits = 2;
  for (let index = 0; index < uuid.length; index++) {
    const code = uuid.charCodeAt(index);
    if (code === dash) continue;
    rest = ((rest & 0b1111) << 4) | (code > digit9 ? code - letterA + 10 : code - digit0);
    restBits += 4;
    if (restBits < 5) continue;
    restBits -= 5;
    suffix += alphabet[(rest >> restBits) & 31];
  }
  return prefix === "" ? suffix : `${prefix}_${suffix}`;
}

/** Whether `decodeId` would find a uuid in it. */
export function isId(prefix: string, id: string): boolean {
  const start = startOfSuffix(prefix);
  if (id.length !== start + 26) return false;
  if (prefix !== "" && !id.startsWith(`${prefix}_`)) return false;
  return suffixPattern.test(id.slice(start));
}

function startOfSuffix(prefix: string): number {
  return prefix === "" ? 0 : prefix.length + 1;
}

/** The uuid of a TypeID, or undefined when it is malformed or carries another prefix. */
export function decodeId(prefix: string, id: string): string | undefined {
  if (!isId(prefix, id)) return undefined;
  const suffix = id.slice(startOfSuffix(prefix));
  // The first two of the 130 bits are zeros, as the pattern says.
  let hex = "";
  let rest = 0;
  let restBits = -2;
  for (let index = 0; index < suffix.length; index++) {
    rest = ((rest & 0xff) << 5) | digits[suffix.charCodeAt(index)]!;
    restBits += 5;
    if (restBits < 8) continue;
    restBits -= 8;
    hex += hexPairs[(rest >> restBits) & 0xff];
  }
  return dashed(hex);
}

function formatUuid(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += hexPairs[byte];
  return dashed(hex);
}

function dashed(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
