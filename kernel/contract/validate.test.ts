import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  currency,
  day,
  email,
  id,
  integer,
  list,
  moment,
  money,
  nullable,
  object,
  oneOf,
  optional,
  text,
  type TSchema,
} from "./schema.ts";
import { compileValidator } from "./validate.ts";

const accepts = (schema: TSchema, value: unknown) => compileValidator(schema)(value).length === 0;
const order = object({
  items: list(object({ quantity: integer({ min: 1, max: 9 }) }), { min: 1, max: 3 }),
  note: text({ max: 5, default: "" }),
});

test("every wrong field is named with the path the client sent", () => {
  deepEqual(compileValidator(order)({ items: [{ quantity: 0 }, {}, { quantity: 1, extra: 1 }], note: "too long" }), [
    { field: "items[0].quantity", message: "must be at least 1" },
    { field: "items[1].quantity", message: "is required" },
    { field: "items[2].extra", message: "is not a known property" },
    { field: "note", message: "must have at most 5 characters" },
  ]);
});

test("a body that is no object at all is named body", () => {
  for (const value of [null, 1, "x", []])
    deepEqual(compileValidator(object({}))(value), [{ field: "body", message: "must be an object" }]);
});

test("a property is named as it is written, slashes and tildes included", () => {
  deepEqual(compileValidator(object({}))({ "a/b~c": 1 }), [{ field: "a/b~c", message: "is not a known property" }]);
});

test("nothing is coerced", () => {
  for (const quantity of ["1", true, [1], null, {}, 1.5]) equal(accepts(order, { items: [{ quantity }] }), false);
});

test("at most a hundred fields are named, each once", () => {
  const body = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`p${index}`, 1]));
  equal(compileValidator(object({}))(body).length, 100);
  equal(compileValidator(object({ code: text({ min: 3, max: 9, pattern: "^[0-9]+$" }) }))({ code: "a" }).length, 1);
});

test("defaults are filled in only where asked for, also in nested objects", () => {
  const schema = object({
    note: text({ max: 5, default: "-" }),
    lines: list(object({ count: integer({ default: 1 }) }), { max: 3 }),
  });
  const filled = { lines: [{}] };
  deepEqual(compileValidator(schema, { defaults: true })(filled), []);
  deepEqual(filled, { note: "-", lines: [{ count: 1 }] });
  const untouched = { lines: [{}] };
  deepEqual(compileValidator(schema)(untouched), []);
  deepEqual(untouched, { lines: [{}] });
});

test("filling in a default never hands out an object that two bodies share", () => {
  const validate = compileValidator(object({ tags: list(text({ max: 5 }), { max: 3, default: [] }) }), {
    defaults: true,
  });
  const first: { tags?: string[] } = {};
  const second: { tags?: string[] } = {};
  validate(first);
  validate(second);
  first.tags!.push("mine");
  deepEqual(second.tags, []);
});

test("lengths count code points", () => {
  equal(accepts(text({ max: 2 }), "😀😀"), true);
  equal(accepts(text({ max: 2 }), "😀😀a"), false);
});

test("money has at most two decimals, exactly", () => {
  for (const value of [0.07, 1.13, 99.99, 4.35, 8_999_999_999.99]) equal(accepts(money(), value), true, String(value));
  for (const value of [0.001, 1e-7, 99.999, -0.01, Infinity]) equal(accepts(money(), value), false, String(value));
});

test("every whole number of minor units is money", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999_999 }), (units) =>
      accepts(money(), Number((units / 100).toFixed(2))),
    ),
  );
});

test("a currency is one of ISO 4217", () => {
  deepEqual(
    ["EUR", "JPY", "eur", "XXQ", "EURO"].map((code) => accepts(currency(), code)),
    [true, true, false, false, false],
  );
});

test("ids carry their prefix and a well-formed suffix", () => {
  const good = "usr_01h455vb4pex5vsknk084sn02q";
  deepEqual(
    [good, good.toUpperCase(), "prd_01h455vb4pex5vsknk084sn02q", "usr_81h455vb4pex5vsknk084sn02q", `${good}\n`].map(
      (one) => accepts(id("usr"), one),
    ),
    [true, false, false, false, false],
  );
});

test("days, moments and addresses must exist", () => {
  deepEqual(
    [
      accepts(day(), "2026-02-29"),
      accepts(day(), "2028-02-29"),
      accepts(moment(), "2026-11-23T25:00:00Z"),
      accepts(moment(), "2026-11-23T10:00:00Z"),
    ],
    [false, true, false, true],
  );
  deepEqual(
    [accepts(email(), "ada@example.com"), accepts(email(), "ada"), accepts(email(), `${"a".repeat(250)}@example.com`)],
    [true, false, false],
  );
});

test("absent and null are distinguished", () => {
  const schema = object({ must: nullable(text({ max: 3 })), may: optional(text({ max: 3 })) });
  deepEqual(
    [accepts(schema, { must: null }), accepts(schema, {}), accepts(schema, { may: null })],
    [true, true, false],
  );
});

test("what is inherited does not count as sent", () => {
  deepEqual(compileValidator(object({ toString: text({ max: 9 }) }))({}), [
    { field: "toString", message: "is required" },
  ]);
});

test("a message names short lists of values and not long ones", () => {
  deepEqual(compileValidator(oneOf(["a", "b"]))("c"), [{ field: "body", message: 'must be one of "a", "b"' }]);
  const many = oneOf(Array.from({ length: 20 }, (_, index) => `v${index}`));
  deepEqual(compileValidator(many)("c"), [{ field: "body", message: "must be one of the documented values" }]);
});
