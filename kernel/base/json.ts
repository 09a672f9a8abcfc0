// Strict JSON (RFC 8259, I-JSON RFC 7493).
//
// JSON.parse accepts what two readers may understand differently: duplicate keys, lone
// surrogates, numbers that lose digits. A scan over the text refuses those first, then
// JSON.parse builds the value: the scan is linear and not recursive, so depth costs no stack.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const maxDepth = 64;
const maxKeysPerObject = 10_000;

/** Why a text is not acceptable JSON: a sentence for the client, without the offending bytes. */
export class JsonError extends Error {
  override name = "JsonError";
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses bytes or text strictly. Refuses invalid UTF-8, a byte order mark, duplicate keys,
 * `__proto__` as a key, NUL and lone surrogates in strings, numbers beyond 2^53 or that do not
 * survive as a double, and more than 64 levels of nesting.
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
  for (let index = 0; index < text.length; index++) {
    const letter = text.charCodeAt(index);
    if (letter === 0x22) {
      const end = endOfString(text, index);
      const value = checkedString(text.slice(index, end + 1));
      index = end;
      if (isKey(text, end)) addKey(keysOfOpenObjects.at(-1), value);
    } else if (letter === 0x7b || letter === 0x5b) {
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
  while (index < text.length && /[0-9.eE+-]/.test(text[index]!)) index++;
  return index;
}

/** What a double tells apart; a number with more digits would come back as another one. */
const exactDigits = 17;

function significantDigits(literal: string): number {
  const digits = literal
    .replace(/[eE].*/, "")
    .replace(/[-.]/g, "")
    .replace(/^0+/, "");
  return digits.replace(/0+$/, "").length;
}

function checkNumber(literal: string): void {
  const value = Number(literal);
  const lost = value === 0 && /[1-9]/.test(literal.replace(/[eE].*/, ""));
  if (
    significantDigits(literal) > exactDigits ||
    !Number.isFinite(value) ||
    Math.abs(value) > Number.MAX_SAFE_INTEGER ||
    lost
  ) {
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
