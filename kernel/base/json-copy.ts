// What JSON keeps of a value, without the text in between.
//
// A call within a process copies what goes in and what comes out, so that it is what it would be after a wire. Written
// as text and read again that is most of what such a call costs; plain data, which is nearly all there is, is copied at
// once, in a fifth of the time. Whatever else there is goes the long way.

/** Deeper than this only what is circular goes, which the long way refuses. */
const plainDepth = 200;

/**
 * The same as `JSON.parse(JSON.stringify(value))`, and throws what that throws. `undefined` for what JSON has no word
 * for.
 */
export function jsonCopy(value: unknown): unknown {
  return copyOf(value, 0);
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
      if (isPlainArray(value)) return value.map((item) => copyOf(item, depth + 1) ?? null);
      return isPlain(value) ? copyOfPlain(value, depth) : byText(value);
    case "bigint":
      return byText(value);
    default:
      return undefined;
  }
}

/** Copied whole, which the engine does at once, and then put right where JSON keeps something else of a value. */
function copyOfPlain(value: Record<string, unknown>, depth: number): Record<string, unknown> {
  const copy = { ...value };
  for (const name in copy) {
    const item = copy[name];
    if (typeof item === "string") continue;
    const one = copyOf(item, depth + 1);
    if (one === undefined) delete copy[name];
    else if (!Object.is(one, item)) copy[name] = one;
  }
  return copy;
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (prototype === Object.prototype || prototype === null) &&
    !hasOwnWords(value) &&
    Object.getOwnPropertySymbols(value).length === 0
  );
}

/** Without holes, over which `map` would step. */
function isPlainArray(value: object): value is unknown[] {
  return (
    Array.isArray(value) &&
    Object.getPrototypeOf(value) === Array.prototype &&
    !hasOwnWords(value) &&
    !value.includes(undefined)
  );
}

function hasOwnWords(value: object): boolean {
  return typeof (value as { toJSON?: unknown }).toJSON === "function";
}

function byText(value: unknown): unknown {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : JSON.parse(text);
}
