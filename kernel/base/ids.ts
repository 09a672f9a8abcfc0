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
const digits = new Map([...alphabet].map((letter, value) => [letter, BigInt(value)]));
const prefixPattern = /^([a-z]([a-z_]{0,61}[a-z])?)?$/;
const suffixPattern = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The TypeID of a uuid: `encodeId("usr", uuid)`. */
export function encodeId(prefix: string, uuid: string): string {
  if (!prefixPattern.test(prefix)) throw new Error(`"${prefix}" is not a TypeID prefix`);
  if (!uuidPattern.test(uuid)) throw new Error("encodeId takes a lower-case uuid");
  let value = BigInt(`0x${uuid.replaceAll("-", "")}`);
  let suffix = "";
  for (let index = 0; index < 26; index++) {
    suffix = alphabet[Number(value & 31n)] + suffix;
    value >>= 5n;
  }
  return prefix === "" ? suffix : `${prefix}_${suffix}`;
}

/** The uuid of a TypeID, or undefined when it is malformed or carries another prefix. */
export function decodeId(prefix: string, id: string): string | undefined {
  const start = prefix === "" ? 0 : prefix.length + 1;
  if (id.length !== start + 26) return undefined;
  if (prefix !== "" && !id.startsWith(`${prefix}_`)) return undefined;
  const suffix = id.slice(start);
  if (!suffixPattern.test(suffix)) return undefined;
  let value = 0n;
  for (const letter of suffix) value = (value << 5n) | digits.get(letter)!;
  const hex = value.toString(16).padStart(32, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function formatUuid(bytes: Uint8Array): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
