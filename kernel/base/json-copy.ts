// What JSON keeps of a value, without the text in between.
//
// A call within a process copies what goes in and what comes out, so that it is what it would be after a wire. Written
// as text and read again that is most of what such a call costs; plain data, which is nearly all there is, is copied at
// once, in a third of the time. Whatever else there is goes the long way.

/** Deeper than this only what is circular goes, which the long way refuses. */
const plainDepth = 200;

/**
 * The same as `JSON.parse(JSON.stringify(value))`, and throws what that throws. `undefined` for what JSON has no word
 * for.
 */
export function jsonCopy(value: unknown): unknown {
  return isPrototypePolluted() ? byText(value) : copyOf(value, 0);
}

function copyOf(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      // JSON has one zero.
      return Number.isFinite(value) ? value + 0 : null;
    case "object":
      if (value === null) return null;
      if (depth > plainDepth) return byText(value);
      if (isPlainArray(value)) return copyOfArray(value, depth);
      return isPlain(value) ? copyOfPlain(value, depth) : byText(value);
    case "bigint":
      return byText(value);
    default:
      return undefined;
  }
}

function copyOfArray(value: readonly unknown[], depth: number): unknown[] {
  const copy: unknown[] = [];
  // By the index, so that holes are met.
  for (let index = 0; index < value.length; index++) copy.push(copyOf(value[index], depth + 1) ?? null);
  return copy;
}

function copyOfPlain(value: Record<string, unknown>, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  // Faster than over the keys, and of a plain object the same.
  for (const name in value) {
    const item = value[name];
    const one = typeof item === "string" ? item : copyOf(item, depth + 1);
    if (one === undefined) continue;
    if (name === "__proto__") Object.defineProperty(copy, name, { value: one, ...ordinary });
    else copy[name] = one;
  }
  return copy;
}

const ordinary = { enumerable: true, writable: true, configurable: true };

function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !hasOwnWords(value);
}

/** Whether something has given every object a property that is counted among its own by who goes over them. */
function isPrototypePolluted(): boolean {
  for (const _ in {}) return true;
  return false;
}

function isPlainArray(value: object): value is unknown[] {
  return Array.isArray(value) && Object.getPrototypeOf(value) === Array.prototype && !hasOwnWords(value);
}

function hasOwnWords(value: object): boolean {
  return typeof (value as { toJSON?: unknown }).toJSON === "function";
}

function byText(value: unknown): unknown {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : JSON.parse(text);
}
