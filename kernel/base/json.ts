// Strict JSON (RFC 8259, I-JSON RFC 7493).
//
// JSON.parse accepts what two readers may understand differently: duplicate keys, lone
// surrogates, numbers that lose digits. A scan over the text refuses those: it is linear and not
// recursive, so depth costs no stack.
//
// Whatever a megabyte of JSON holds, reading it must stay cheap, and so must everything that comes
// after: validation names each mistake, and half a million values can all be wrong. Hence the bounds.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const maxDepth = 64;
const maxKeysPerObject = 10_000;
const maxValues = 20_000;

/** Why a text is not acceptable JSON: a sentence for the client, without the offending bytes. */
export class JsonError extends Error {
  override name = "JsonError";
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses bytes or text strictly. Refuses invalid UTF-8, a byte order mark, duplicate keys,
 * `__proto__` as a key, NUL and lone surrogates in strings, numbers beyond 2^53 or that do not
 * survive as a double, more than 64 levels of nesting, and more than 20,000 values.
 */
export function parseJson(input: Uint8Array | string): Json {
  const text = typeof input === "string" ? input : decodeUtf8(input);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw new JsonError("The body is not valid JSON", { cause });
  }
  // The text is known to be well-formed from here on, so the scan needs no grammar of its own.
  scan(text);
  return value;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new JsonError("The body is not valid UTF-8", { cause });
  }
}

function scan(text: string): void {
  const keysOfOpenObjects: (Set<string> | undefined)[] = [];
  let values = 1;
  for (let index = 0; index < text.length; index++) {
    const letter = text.charCodeAt(index);
    if (letter === 0x22) {
      const end = endOfString(text, index);
      const value = checkedString(text.slice(index, end + 1));
      index = end;
      if (isKey(text, end)) addKey(keysOfOpenObjects.at(-1), value);
    } else if (letter === 0x2c) {
      countValue(++values);
    } else if (letter === 0x7b || letter === 0x5b) {
      countValue(++values);
      if (keysOfOpenObjects.length === maxDepth)
        throw new JsonError(`JSON may be nested at most ${maxDepth} levels deep`);
      keysOfOpenObjects.push(letter === 0x7b ? new Set() : undefined);
    } else if (letter === 0x7d || letter === 0x5d) {
      keysOfOpenObjects.pop();
    } else if (letter === 0x2d || (letter >= 0x30 && letter <= 0x39)) {
      const end = endOfNumber(text, index);
      checkNumber(text.slice(index, end));
      index = end - 1;
    }
  }
}

/** At an opening bracket or a comma, each of which brings one more value. */
function countValue(values: number): void {
  if (values > maxValues) throw new JsonError(`JSON may hold at most ${maxValues} values`);
}

function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (text.charCodeAt(index) !== 0x22) index += text.charCodeAt(index) === 0x5c ? 2 : 1;
  return index;
}

function checkedString(literal: string): string {
  const value = literal.includes("\\") ? (JSON.parse(literal) as string) : literal.slice(1, -1);
  if (value.includes("\u0000")) throw new JsonError("Strings may not contain the NUL character");
  if (!value.isWellFormed()) throw new JsonError("Strings may not contain lone surrogates");
  return value;
}

function isKey(text: string, endOfLiteral: number): boolean {
  let index = endOfLiteral + 1;
  for (; index < text.length; index++) {
    const letter = text.charCodeAt(index);
    if (letter !== 0x20 && letter !== 0x0a && letter !== 0x0d && letter !== 0x09) return letter === 0x3a;
  }
  return false;
}

function addKey(keys: Set<string> | undefined, key: string): void {
  if (keys === undefined) return;
  if (keys.has(key)) throw new JsonError("An object may not contain the same key twice");
  if (key === "__proto__") throw new JsonError("An object may not contain the key __proto__");
  if (keys.size === maxKeysPerObject) throw new JsonError(`An object may have at most ${maxKeysPerObject} keys`);
  keys.add(key);
}

function endOfNumber(text: string, start: number): number {
  let index = start + 1;
  while (isOfNumber(text.charCodeAt(index))) index++;
  return index;
}

/** One of `0123456789.eE+-`. */
function isOfNumber(letter: number): boolean {
  return isDigit(letter) || letter === 0x2e || isExponent(letter) || letter === 0x2b || letter === 0x2d;
}

function isDigit(letter: number): boolean {
  return letter >= 0x30 && letter <= 0x39;
}

function isExponent(letter: number): boolean {
  return letter === 0x65 || letter === 0x45;
}

/** What a double tells apart; a number with more digits would come back as another one. */
const exactDigits = 17;

/** The digits before an exponent, without the zeros at both ends. */
function significantDigits(literal: string): number {
  let digits = 0;
  let first = 0;
  let last = 0;
  for (let index = 0; index < literal.length && !isExponent(literal.charCodeAt(index)); index++) {
    const letter = literal.charCodeAt(index);
    if (!isDigit(letter)) continue;
    digits += 1;
    if (letter === 0x30) continue;
    first ||= digits;
    last = digits;
  }
  return first === 0 ? 0 : last - first + 1;
}

function checkNumber(literal: string): void {
  const value = Number(literal);
  const digits = significantDigits(literal);
  const lost = value === 0 && digits > 0;
  if (digits > exactDigits || !Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER || lost) {
    throw new JsonError("A number is outside the range that can be represented exactly");
  }
}

/** The same text for the same value, whatever the order of keys (RFC 8785 in spirit; for hashing). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
