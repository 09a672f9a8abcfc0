import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { exampleOf } from "./example.ts";
import {
  currency,
  email,
  flag,
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
} from "../schema.ts";
import { compileValidator } from "../validate.ts";

test("an example is what the schema accepts, whatever the bounds", () => {
  const bounds = fc
    .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }))
    .map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));
  fc.assert(
    fc.property(bounds, bounds, (length, range) => {
      const schema = object({
        name: text({ ...length }),
        count: integer(range),
        price: money(range),
        tags: list(oneOf(["a"]), { max: 3 }),
        at: nullable(moment()),
        who: id("usr"),
        mail: email(),
        coin: currency(),
        on: optional(flag()),
      });
      deepEqual(compileValidator(schema)(exampleOf(schema)), []);
    }),
  );
});

test("an example of its own goes before a made one", () => {
  equal(exampleOf(text({ max: 9, examples: ["mine"] })), "mine");
});

test("a pattern that cannot be guessed leaves out what is optional, and gives no example where it is required", () => {
  const odd = text({ max: 9, pattern: "^zz\\d{4}q$" });
  deepEqual(exampleOf(object({ id: id("usr"), odd: optional(odd) })), { id: "usr_01h455vb4pex5vsknk084sn02q" });
  equal(exampleOf(object({ odd })), undefined);
});
