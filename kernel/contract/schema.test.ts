import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import {
  currency,
  day,
  email,
  flag,
  id,
  integer,
  isNullable,
  isOptional,
  kindOf,
  list,
  moment,
  money,
  nullable,
  object,
  oneOf,
  optional,
  schemaOf,
  text,
} from "./schema.ts";

test("an object is closed and requires what has no default and is not optional", () => {
  const schema = schemaOf(
    object({
      name: text({ max: 5 }),
      note: text({ max: 5, default: "" }),
      seen: nullable(moment()),
      tag: optional(text({ max: 5 })),
    }),
  );
  deepEqual(schema.required, ["name"]);
  equal(schema.additionalProperties, false);
});

test("an object in which nothing must be sent requires nothing", () => {
  equal("required" in schemaOf(object({ tag: optional(flag()) })), false);
});

test("a nullable property takes null, also in an enumeration, and null is its default", () => {
  const schema = schemaOf(nullable(oneOf(["a", "b"])));
  deepEqual(schema.type, ["string", "null"]);
  deepEqual(schema.enum, ["a", "b", null]);
  equal(schema.default, null);
});

test("a nullable property keeps a default of its own", () => {
  equal(schemaOf(nullable(integer({ default: 3 }))).default, 3);
});

test("each word of the vocabulary has its kind of value", () => {
  const kinds = {
    text: [text({ max: 1 }), email(), oneOf(["a"]), currency()],
    number: [integer()],
    money: [money()],
    flag: [flag()],
    id: [id("usr")],
    moment: [moment()],
    day: [day()],
    array: [list(text({ max: 1 }), { max: 1 })],
    json: [object({}), list(object({}), { max: 1 })],
  };
  for (const [kind, schemas] of Object.entries(kinds)) {
    for (const schema of schemas) equal(kindOf(schema), kind);
    for (const schema of schemas) equal(kindOf(nullable(schema)), kind);
  }
});

test("optional and nullable are told apart", () => {
  deepEqual([isOptional(optional(flag())), isOptional(nullable(flag()))], [true, false]);
  deepEqual([isNullable(optional(flag())), isNullable(nullable(flag()))], [false, true]);
});
