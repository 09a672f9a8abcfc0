import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import AjvModule from "ajv/dist/2020.js";
import fc from "fast-check";
import { compare, type Difference, type Json } from "./difference.ts";
import { schemaDifferences, type Use } from "./schema.ts";

const differences = (before: Json, after: Json, use: Use, parts: { before?: Json; after?: Json } = {}): Difference[] =>
  schemaDifferences(compare(parts.before ?? {}, parts.after ?? {}, 0), { before, after, place: ["schema"] }, use);

/** `b`reaking, `c`ompatible, or a dash for no difference. */
const verdict = (found: readonly Difference[]) =>
  found.length === 0 ? "-" : found.some((one) => one.breaking) ? "b" : "c";

const text = { type: "string", maxLength: 100 };
const closed = (properties: Json, required: string[] = []): Json => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});

test("a request may be loosened and an answer tightened, and every other change breaks", () => {
  const changes: [what: string, before: Json, after: Json, request: string, answer: string][] = [
    ["nothing", closed({ a: text }, ["a"]), closed({ a: text }, ["a"]), "-", "-"],
    ["the order of an enum", { enum: ["a", "b"] }, { enum: ["b", "a"] }, "-", "-"],
    ["an enum has a value more", { enum: ["a"] }, { enum: ["a", "b"] }, "c", "b"],
    ["an enum has a value less", { enum: ["a", "b"] }, { enum: ["a"] }, "b", "c"],
    ["an enum has other values", { enum: ["a", "b"] }, { enum: ["a", "c"] }, "b", "b"],
    ["a const becomes an enum", { const: "a" }, { enum: ["a", "b"] }, "c", "b"],
    ["a const is listed as well", { const: "a" }, { const: "a", enum: ["a", "b"] }, "-", "-"],
    ["a const is not among what is listed", { const: "a" }, { const: "a", enum: ["b"] }, "b", "c"],
    ["an enum becomes text that takes its values", { type: "string", enum: ["a"] }, text, "c", "b"],
    ["an enum becomes text too short for it", { type: "string", enum: ["ab"] }, { ...text, maxLength: 1 }, "b", "b"],
    ["an enum becomes text in a format", { type: "string", enum: ["a"] }, { type: "string", format: "date" }, "b", "b"],
    ["text becomes an enum within it", text, { type: "string", enum: ["a"] }, "b", "c"],
    ["maxLength is higher", text, { ...text, maxLength: 101 }, "c", "b"],
    ["maxLength is lower", text, { ...text, maxLength: 99 }, "b", "c"],
    ["maxLength is gone", text, { type: "string" }, "c", "b"],
    ["minLength is new", text, { ...text, minLength: 1 }, "b", "c"],
    ["minLength of 0 is new", text, { ...text, minLength: 0 }, "-", "-"],
    ["minimum is lower", { minimum: 1 }, { minimum: 0 }, "c", "b"],
    ["minimum is higher", { minimum: 1 }, { minimum: 2 }, "b", "c"],
    ["minimum is new", {}, { minimum: 2 }, "b", "c"],
    ["maximum is lower", { maximum: 2 }, { maximum: 1 }, "b", "c"],
    ["exclusiveMaximum is higher", { exclusiveMaximum: 2 }, { exclusiveMaximum: 3 }, "c", "b"],
    ["maxItems is lower", { maxItems: 2 }, { maxItems: 1 }, "b", "c"],
    ["minProperties is higher", { minProperties: 1 }, { minProperties: 2 }, "b", "c"],
    ["one bound is wider, another narrower", { minimum: 1, maximum: 9 }, { minimum: 0, maximum: 8 }, "b", "b"],
    ["items must be unique", { type: "array" }, { type: "array", uniqueItems: true }, "b", "c"],
    ["a pattern is new", text, { ...text, pattern: "^a" }, "b", "c"],
    ["a pattern is gone", { ...text, pattern: "^a" }, text, "c", "b"],
    ["a pattern is another", { pattern: "^a" }, { pattern: "^a*" }, "b", "b"],
    ["a format is new", text, { ...text, format: "email" }, "b", "b"],
    ["a format is gone", { ...text, format: "email" }, text, "c", "b"],
    ["int32 becomes int64", { format: "int32" }, { format: "int64" }, "c", "b"],
    ["int64 becomes int32", { format: "int64" }, { format: "int32" }, "b", "c"],
    ["an integer becomes a number", { type: "integer" }, { type: "number" }, "c", "b"],
    ["a number becomes an integer", { type: "number" }, { type: "integer" }, "b", "c"],
    ["text becomes a number", { type: "string" }, { type: "number" }, "b", "b"],
    ["null is taken, too", { type: "string" }, { type: ["string", "null"] }, "c", "b"],
    ["null is taken no more", { type: ["string", "null"] }, { type: "string" }, "b", "c"],
    ["a type is said for the first time", {}, { type: "string" }, "b", "c"],
    ["what items are is wider", { items: text }, { items: { type: "string" } }, "c", "b"],
    ["what items are is said for the first time", {}, { items: text }, "b", "c"],
    ["an optional property is new", closed({}), closed({ a: text }), "c", "c"],
    ["a required property is new", closed({}), closed({ a: text }, ["a"]), "b", "c"],
    ["a property is gone", closed({ a: text }), closed({}), "b", "b"],
    ["a property is required", closed({ a: text }), closed({ a: text }, ["a"]), "b", "c"],
    ["a property is optional", closed({ a: text }, ["a"]), closed({ a: text }), "c", "b"],
    ["what was required gets a schema, optional", { required: ["a"] }, { properties: { a: text } }, "b", "b"],
    ["a name without a schema is required", { type: "object" }, { type: "object", required: ["a"] }, "b", "c"],
    ["an open object has a property more", { type: "object" }, { type: "object", properties: { a: text } }, "b", "c"],
    ["an open object is closed", { type: "object" }, closed({}), "b", "c"],
    ["a closed object is open", closed({}), { type: "object", properties: {} }, "c", "b"],
    ["further properties are of a kind", { additionalProperties: true }, { additionalProperties: text }, "b", "c"],
    [
      "further properties are wider",
      { additionalProperties: text },
      { additionalProperties: { type: "string" } },
      "c",
      "b",
    ],
    [
      "a property joins others of a kind",
      { additionalProperties: text },
      { properties: { a: {} }, additionalProperties: text },
      "b",
      "b",
    ],
    ["a default changes", closed({ a: { default: 1 } }), closed({ a: { default: 2 } }), "b", "c"],
    ["a default is new", closed({ a: {} }), closed({ a: { default: 2 } }), "b", "c"],
    ["what was required has a default", closed({ a: {} }, ["a"]), closed({ a: { default: 2 } }), "c", "b"],
    ["a description changes", { description: "a" }, { description: "b" }, "c", "c"],
    ["a keyword nobody knows is new", text, { ...text, contentEncoding: "base64" }, "b", "b"],
    ["a keyword nobody knows is gone", { if: text }, {}, "b", "b"],
    ["anything becomes nothing", { items: true }, { items: false }, "b", "b"],
  ];
  for (const [what, before, after, request, answer] of changes) {
    const found = (["request", "answer", "event"] as const).map((use) => verdict(differences(before, after, use)));
    deepEqual(found, [request, answer, answer], what);
  }
});

test("a difference says where it is, what it is and why it breaks", () => {
  const before = closed({ lines: { type: "array", items: closed({ "unit-price": { minimum: 0 } }) } });
  const after = closed({ lines: { type: "array", items: closed({ "unit-price": { minimum: 1 } }) } });
  deepEqual(differences(before, after, "request"), [
    {
      place: 'schema.properties.lines.items.properties["unit-price"].minimum',
      breaking: true,
      says: "minimum 0 -> 1: requests that were accepted are refused",
    },
  ]);
});

const schemasOf = (one: Json): Json => ({ schemas: { One: one } });
const one = { $ref: "#/schemas/One" };

test("what a reference leads to is compared, once for each use, and named by its own place", () => {
  const parts = { before: schemasOf({ minimum: 0 }), after: schemasOf({ minimum: 1 }) };
  const twice = closed({ a: one, b: one });
  deepEqual(
    differences(twice, twice, "request", parts).map(({ place }) => place),
    ["schemas.One.minimum"],
  );
  equal(verdict(differences(one, { minimum: 0 }, "request", parts)), "-");
  equal(verdict(differences({ minimum: 0 }, one, "request", parts)), "b");
});

test("a schema that contains itself is compared to its end", () => {
  const tree = (items: Json) => schemasOf({ type: "array", items, maxItems: 3 });
  const parts = { before: tree(one), after: { schemas: { One: { type: "array", items: one, maxItems: 4 } } } };
  deepEqual(differences(one, one, "request", parts).map(verdictOf), [["c", "schemas.One.maxItems"]]);
  deepEqual(differences(one, one, "answer", parts).map(verdictOf), [["b", "schemas.One.maxItems"]]);
});

const verdictOf = (found: Difference) => [verdict([found]), found.place];

test("under a keyword nobody knows, what a reference leads to counts as well", () => {
  const choice = { oneOf: [one, { type: "null" }] };
  const parts = { before: schemasOf({ maximum: 1 }), after: schemasOf({ maximum: 2 }) };
  deepEqual(differences(choice, choice, "request", parts).map(verdictOf), [["b", "schema.oneOf"]]);
  const same = { before: schemasOf({ maximum: 1 }), after: schemasOf({ maximum: 1 }) };
  deepEqual(differences(choice, choice, "request", same), []);
});

test("what stands beside a reference counts, unless only people read it", () => {
  const parts = { before: schemasOf(text), after: schemasOf(text) };
  equal(verdict(differences(one, { ...one, description: "Text" }, "request", parts)), "-");
  equal(verdict(differences(one, { ...one, minLength: 1 }, "request", parts)), "b");
});

test("a reference that leads nowhere is named", () => {
  let message = "";
  try {
    differences({ $ref: "#/schemas/Two" }, {}, "request");
  } catch (error) {
    message = (error as Error).message;
  }
  match(message, /#\/schemas\/Two leads nowhere/);
});

// The verdict against the meaning: schemas and values at random, judged by a validator.

const ajv = new AjvModule.default({ strict: false, validateFormats: false });
const bound = (min: number, max: number) => fc.option(fc.integer({ min, max }), { nil: undefined });
const present = (schema: object) =>
  Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined)) as Json;

const scalars: fc.Arbitrary<Json> = fc
  .oneof(
    fc.record({
      type: fc.constant("string"),
      minLength: bound(0, 2),
      maxLength: bound(1, 3),
      pattern: fc.constantFrom(undefined, undefined, "^a"),
    }),
    fc.record({ type: fc.constantFrom("integer", "number"), minimum: bound(-2, 1), maximum: bound(0, 3) }),
    fc.record({ type: fc.constantFrom("boolean", ["boolean", "null"], ["string", "null"], ["integer", "string"]) }),
    fc.record({ enum: fc.uniqueArray(fc.constantFrom("a", "b", 1, null), { minLength: 1 }) }),
    fc.record({ const: fc.constantFrom("a", 1, null) }),
  )
  .map(present);

const objects = (inside: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc
    .record({
      type: fc.constant("object"),
      properties: fc.dictionary(fc.constantFrom("a", "b", "c"), inside, { maxKeys: 3 }),
      required: fc.uniqueArray(fc.constantFrom("a", "b")),
      additionalProperties: fc.oneof(fc.constantFrom<unknown>(false, false, true, undefined), scalars),
    })
    .filter(({ properties, required, additionalProperties }) => {
      // A closed object that must have what it may not have takes nothing, and says nothing about changes.
      return additionalProperties !== false || required.every((name) => name in properties);
    })
    .map(present);

const schemas: fc.Arbitrary<Json> = fc.oneof(
  scalars,
  objects(scalars),
  fc
    .record({
      type: fc.constant("array"),
      items: scalars,
      maxItems: bound(0, 2),
      minItems: bound(0, 1),
      uniqueItems: fc.boolean(),
    })
    .map(present),
  objects(objects(scalars)),
);

const leaves = fc.constantFrom<unknown>("", "a", "ab", "abc", "bcd", -2, -1, 0, 1, 1.5, 2, 3, true, false, null);
const records = (inside: fc.Arbitrary<unknown>) =>
  fc.dictionary(fc.constantFrom("a", "b", "c"), inside, { maxKeys: 3 });
const values = fc.oneof(leaves, records(leaves), fc.array(leaves, { maxLength: 3 }), records(records(leaves)));

/** One schema and one near it: most pairs at random have nothing in common. */
const near: fc.Arbitrary<[Json, Json]> = fc.oneof(
  fc.tuple(schemas, schemas),
  fc
    .tuple(schemas, schemas)
    .map(([one, other]): [Json, Json] => [one, one.type === other.type ? { ...one, ...other } : one]),
  fc
    .tuple(
      schemas,
      schemas,
      fc.constantFrom("maxLength", "minimum", "required", "additionalProperties", "properties", "items", "enum"),
    )
    .map(([one, other, key]): [Json, Json] => [one, present({ ...one, [key]: other[key] })]),
);

test("when a change of a request is compatible, every value that was accepted still is", () => {
  let seen = 0;
  fc.assert(
    fc.property(near, fc.array(values, { minLength: 20, maxLength: 20 }), ([before, after], tried) => {
      if (verdict(differences(before, after, "request")) === "b") return;
      const [accepted, accepts] = [ajv.compile(before), ajv.compile(after)];
      for (const value of tried.filter((one) => accepted(one))) {
        seen++;
        equal(accepts(value), true, JSON.stringify({ before, after, value }));
      }
    }),
    { numRuns: 800 },
  );
  equal(seen > 100, true, `only ${seen} values were accepted before`);
});

test("when a change of an answer is compatible, nothing arrives that was not promised, but for new properties", () => {
  let seen = 0;
  fc.assert(
    fc.property(near, fc.array(values, { minLength: 20, maxLength: 20 }), ([before, after], tried) => {
      if (verdict(differences(before, after, "answer")) === "b") return;
      const [accepted, accepts] = [ajv.compile(before), ajv.compile(after)];
      for (const value of tried.filter((one) => accepts(one))) {
        seen++;
        equal(accepted(known(before, value)), true, JSON.stringify({ before, after, value }));
      }
    }),
    { numRuns: 800 },
  );
  equal(seen > 100, true, `only ${seen} values were answered after`);
});

/** What a client sees that ignores properties it does not know. */
function known(schema: Json, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if (schema.type !== "object" || schema.additionalProperties !== false) return value;
  const properties = schema.properties as Record<string, Json>;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name in properties)
      .map(([name, one]) => [name, known(properties[name]!, one)]),
  );
}
