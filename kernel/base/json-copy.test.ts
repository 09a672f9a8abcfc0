import fc from "fast-check";
import { deepStrictEqual, equal, notEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { jsonCopy } from "./json-copy.ts";

const byText = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const anything = fc.anything({
  withDate: true,
  withMap: true,
  withSet: true,
  withBoxedValues: true,
  withNullPrototype: true,
  withObjectString: true,
  withTypedArray: true,
  withSparseArray: true,
  withUnicodeString: true,
});

test("a copy is what a value is after it was written as JSON and read again, whatever it was", () => {
  fc.assert(
    fc.property(anything, (value) => {
      const wrapped = { value, list: [value, undefined, -0] };
      deepStrictEqual(jsonCopy(wrapped), byText(wrapped));
    }),
    { numRuns: 2_000 },
  );
});

test("the special cases of JSON", () => {
  const own = JSON.parse('{"__proto__":{"polluted":true},"1":1,"a":2,"0":0}') as object;
  const holes = [1, , 3]; // oxlint-disable-line no-sparse-arrays -- they become null
  class Point {
    x = 1;
    toJSON = () => ({ y: 2 });
  }
  const getter = Object.defineProperty({}, "a", { get: () => 1, enumerable: true });
  const values = [
    own,
    holes,
    new Point(),
    getter,
    [Number.NaN, -0, Infinity],
    { a: () => 1, b: Symbol("b") },
    { [Symbol("s")]: 1, a: 2 },
  ];
  for (const value of [...values, new Date(0), "\ud800", Object("boxed"), [[]], {}, [], null, 0, ""])
    deepStrictEqual(jsonCopy(value), byText(value));
  equal(({} as { polluted?: boolean }).polluted, undefined);
  for (const nothing of [undefined, () => 1, Symbol("s")]) equal(jsonCopy(nothing), undefined);
});

test("what somebody has given to every object is nobody's own", () => {
  // oxlint-disable-next-line no-extend-native -- what a careless library, or an attack, does
  Object.defineProperty(Object.prototype, "given", { value: 1, enumerable: true, configurable: true });
  try {
    equal(Object.hasOwn(jsonCopy({ a: 1 }) as object, "given"), false);
  } finally {
    delete (Object.prototype as { given?: number }).given;
  }
});

test("what JSON refuses is refused", () => {
  const circle: Record<string, unknown> = {};
  circle.self = { circle };
  throws(() => jsonCopy(circle), TypeError);
  throws(() => jsonCopy({ a: [1n] }), TypeError);
});

test("nothing of a copy is what it was made of", () => {
  const value = { list: [{ a: 1 }], deep: { b: [] } };
  const copy = jsonCopy(value) as typeof value;
  notEqual(copy, value);
  notEqual(copy.list, value.list);
  notEqual(copy.list[0], value.list[0]);
  notEqual(copy.deep.b, value.deep.b);
});

test("as deep as JSON goes", () => {
  let deep: unknown = "bottom";
  for (let level = 0; level < 2_000; level++) deep = { deep };
  equal(JSON.stringify(jsonCopy(deep)), JSON.stringify(deep));
});
