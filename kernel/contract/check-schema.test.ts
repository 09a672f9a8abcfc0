import { doesNotThrow, throws } from "node:assert/strict";
import { test } from "node:test";
import { type JsonSchema, list, nullable, object, optional, text, type TSchema } from "./schema.ts";
import { compileValidator } from "./validate.ts";

const plain = (schema: JsonSchema) => schema as unknown as TSchema;
const compile = (schema: TSchema) => () => compileValidator(schema);

test("a schema that cannot be compiled is refused before the first value, with the place of its mistake", () => {
  throws(compile(object({ lines: list(object({ code: text({ max: 9, pattern: "(" }) }), { max: 3 }) })), {
    message: /lines\.items\.code\.pattern: Invalid regular expression/,
  });
});

test("what Ajv would refuse is refused", () => {
  const wrong: [JsonSchema, RegExp][] = [
    [{ type: "text" }, /type: there is no type "text"/],
    [{ type: "string", maxLenght: 3 }, /maxLenght: there is no such keyword/],
    [{ type: "string", maxLength: "3" }, /maxLength: it must be number/],
    [{ type: "string", maxLength: -1 }, /maxLength: it must be a whole number from 0/],
    [{ type: "string", maxLength: 1.5 }, /maxLength: it must be a whole number from 0/],
    [{ type: "string", format: "phone" }, /format: there is no format "phone"/],
    [{ type: "string", minimum: 1 }, /minimum: it is for the type number, which the schema does not have/],
    [{ maxLength: 1 }, /maxLength: it is for the type string/],
    [{ type: "object", required: "name" } as unknown as JsonSchema, /required: it must be array/],
    [{ type: "string", enum: "a" } as unknown as JsonSchema, /enum: it must be array/],
  ];
  for (const [schema, message] of wrong) throws(compile(plain(schema)), message);
});

test("a schema that is used in many places is fine in all of them, and one that is wrong is wrong each time", () => {
  const shared = nullable(text({ max: 3 }));
  doesNotThrow(compile(object({ one: shared, two: optional(shared), three: list(shared, { max: 2 }) })));
  const wrong = plain({ type: "string", pattern: "[" });
  for (const schema of [object({ one: wrong }), object({ two: wrong })]) throws(compile(schema), /pattern/);
});
