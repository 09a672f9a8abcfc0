// Random requests against a running resource: never a 5xx, and what is accepted reads back as it was sent.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeId, systemClock, systemRandom, uuidv7 } from "../base/index.ts";
import { grammarOf, type JsonSchema, schemaOf, shapeOf } from "../contract/index.ts";
import { startTestSystem } from "../testing/index.ts";
import { invoice, invoices } from "./invoices/contract.ts";
import { invoicesService } from "./invoices/service.ts";

const contract = invoices("2026-12-31T00:00:00Z");
const system = await startTestSystem({
  definition: {
    name: "books",
    title: "Books",
    version: "0.0.0",
    contracts: [contract],
    services: () => [invoicesService(contract)],
  },
});
const authorization = await system.authorization({
  userId: encodeId("usr", uuidv7(systemClock, systemRandom)),
  roles: ["accountant"],
});
const shape = shapeOf(invoice, 2, contract.changes);
const schema = schemaOf(shape.create);
const path = "/v2/invoices";
const item = async () => `${path}/${(await send("POST", path, fc.sample(accepted, 1)[0])).json.id}`;

const send = (method: string, target: string, body?: unknown, headers: Record<string, string> = {}) =>
  system.request(method, target, { authorization, headers, ...(body === undefined ? {} : { body }) });

/** Any code point but NUL and the surrogates, which no JSON text of ours may hold. */
const letters = fc.string({ unit: "binary", maxLength: 40 }).map((text) => text.replaceAll("\0", ""));
const years = { min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true };
const instants = fc.date(years).map((date) => date.toISOString());

/** Values that a schema accepts. */
function arbitraryOf(of: JsonSchema): fc.Arbitrary<unknown> {
  const types = [of.type].flat();
  const plain = plainOf(
    of,
    types.find((type) => type !== "null")!,
  );
  return types.includes("null") ? fc.option(plain) : plain;
}

function plainOf(of: JsonSchema, type: string): fc.Arbitrary<unknown> {
  const max = Number(of.maxLength ?? 20);
  if (of.enum !== undefined) return fc.constantFrom(...of.enum.filter((value) => value !== null));
  if (of.format === "currency") return fc.constantFrom("EUR", "USD", "JPY", "CHF");
  if (of.format === "date") return instants.map((text) => text.slice(0, 10));
  if (of.format === "date-time") return instants;
  if (of.pattern !== undefined)
    return fc
      .stringMatching(new RegExp(of.pattern))
      .filter((text) => text.length <= Number(of.maxLength ?? text.length));
  switch (type) {
    case "integer":
      return fc.integer({ min: of.minimum ?? 0, max: of.maximum ?? 9 });
    case "number":
      return fc.maxSafeNat().map((minor) => (minor % 1_000_000_000_000_000) / 100);
    case "boolean":
      return fc.boolean();
    case "array": {
      const items = fc.array(arbitraryOf(of.items!), { minLength: Number(of.minItems), maxLength: 4 });
      return of.uniqueItems === true ? items.map((all) => [...new Set(all)]) : items;
    }
    case "object":
      return objectOf(of);
    default:
      return letters.map((text) => [...(text === "" ? "x" : text)].slice(0, max).join(""));
  }
}

/** Properties with a default are left out now and then. */
function objectOf(of: JsonSchema): fc.Arbitrary<Record<string, unknown>> {
  const properties = Object.fromEntries(
    Object.entries(of.properties!).map(([name, property]) => [name, arbitraryOf(property)]),
  );
  return fc.record(properties, { requiredKeys: of.required ?? [], noNullPrototype: true });
}

const accepted = objectOf(schema);
const names = [
  ...Object.keys(schema.properties!),
  "id",
  "version",
  "ownerId",
  "remark",
  "deletedAt",
  "__proto__",
  "constructor",
  "x",
];

/** An accepted body with one to three values in it replaced, or no such body at all. */
const rejected = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(accepted, fc.array(fc.tuple(fc.constantFrom(...names), fc.jsonValue()), { minLength: 1, maxLength: 3 }))
      .map(([body, wrong]) => ({ ...body, ...Object.fromEntries(wrong) })),
  },
  { weight: 1, arbitrary: fc.jsonValue() },
  { weight: 1, arbitrary: fc.string() },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1 }) },
);

test("a create that is accepted reads back exactly what was sent, defaults filled in", async () => {
  let created = 0;
  await fc.assert(
    fc.asyncProperty(accepted, async (body) => {
      const answer = await send("POST", path, body);
      if (answer.status === 409) return;
      assert.equal(answer.status, 201, answer.text);
      created++;
      const shown = Object.fromEntries(Object.keys(schema.properties!).map((name) => [name, answer.json[name]]));
      assert.deepEqual(shown, filled(schema, body));
      assert.deepEqual((await send("GET", `${path}/${answer.json.id}`)).json, answer.json);
    }),
    { numRuns: 150 },
  );
  assert.ok(created > 50, `only ${created} were accepted`);
});

/** What is left out of a body is its default, in nested objects too. */
function filled(of: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => filled(of.items!, one));
  if (of.properties === undefined || value === null) return value;
  const given = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(of.properties).map(([name, property]) => [
      name,
      name in given ? filled(property, given[name]) : property.default,
    ]),
  );
}

test("a PATCH that is accepted changes what it names to what was sent, and nothing else", async () => {
  const address = await item();
  const { series: _series, number: _number, ...rest } = schema.properties!;
  const patches = fc.record(
    Object.fromEntries(Object.entries(rest).map(([name, property]) => [name, arbitraryOf(property)])),
    { requiredKeys: [], noNullPrototype: true },
  );
  await fc.assert(
    fc.asyncProperty(patches, async (patch) => {
      const before = (await send("GET", address)).json;
      const { status, json, text } = await send("PATCH", address, patch);
      assert.equal(status, 200, text);
      const named = Object.entries(patch as Record<string, unknown>).map(([name, value]) => [
        name,
        name === "customer" ? merged(before.customer, value) : value,
      ]);
      const expected = { ...before, ...Object.fromEntries(named) };
      assert.deepEqual({ ...json, version: 0, updatedAt: "" }, { ...expected, version: 0, updatedAt: "" });
    }),
    { numRuns: 150 },
  );
});

/** RFC 7396 over objects whose members are null when they are absent. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const into = (target ?? {}) as Record<string, unknown>;
  return {
    ...into,
    ...Object.fromEntries(Object.entries(patch).map(([name, value]) => [name, merged(into[name], value)])),
  };
}

test("N06 N07 N09 no body makes a 5xx, whatever the method and the headers", async () => {
  const address = await item();
  const headers = fc.record(
    {
      "if-match": fc.oneof(fc.constant('"1"'), visible()),
      "idempotency-key": visible(),
      accept: fc.oneof(fc.constant("application/json;version=1"), visible()),
      "content-type": fc.oneof(fc.constant("application/json"), fc.constant("application/merge-patch+json"), visible()),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("POST", "PUT", "PATCH"),
      fc.oneof(rejected, accepted),
      headers,
      async (method, body, sent) => {
        const raw = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
        const { status, text, json } = await send(method, method === "POST" ? path : address, raw, sent);
        assert.ok(status < 500, text);
        if (status >= 400 && !String(sent.accept).includes("problem"))
          assert.ok(Array.isArray(json.error.details), text);
      },
    ),
    { numRuns: 400 },
  );
});

function visible(): fc.Arbitrary<string> {
  return fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 30 }).map((text) => text.trim() || "x");
}

test("N01 N12 no query makes a 5xx, in lists and rows, and what is accepted is a page", async () => {
  const address = await item();
  const grammar = grammarOf(invoice, shape);
  const parameters = [
    ...grammar.parameters.keys(),
    "limit",
    "page",
    "cursor",
    "sort",
    "fields",
    "q",
    "version",
    "nonsense",
    "__proto__",
  ];
  const keys = [...grammar.sortKeys.keys()];
  const values = fc.oneof(
    instants,
    instants.map((text) => text.slice(0, 10)),
    fc.integer().map(String),
    fc.double().map(String),
    fc.integer({ min: 1, max: 5 }).map(String),
    letters,
    fc.constantFrom(
      "draft",
      "sent,paid",
      "true",
      "false",
      "EUR",
      "infinity",
      "NaN",
      "-0",
      "1e5",
      "99999999999999",
      "0.01",
      "%",
      "\\",
      "'",
      "[]",
      "{}",
      "null",
    ),
    fc
      .uniqueArray(fc.constantFrom(...keys), { minLength: 1, maxLength: 4 })
      .chain((some) =>
        fc
          .tuple(...some.map((key) => fc.constantFrom("", "+", "-").map((sign) => sign + key)))
          .map((all) => all.join(",")),
      ),
    fc.uniqueArray(fc.constantFrom(...grammar.fields), { minLength: 1, maxLength: 4 }).map((all) => all.join(",")),
  );
  const query = fc.array(
    fc.tuple(
      fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...parameters) }, { weight: 1, arbitrary: letters }),
      values,
    ),
    { maxLength: 3 },
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(path, address), query, async (target, pairs) => {
      const text = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
      const answer = await send("GET", `${target}?${text}`);
      assert.ok(answer.status < 500, answer.text);
      if (answer.status === 200 && target === path)
        assert.ok(Array.isArray(answer.json.data) && answer.json.data.length <= answer.json.pagination.limit);
    }),
    { numRuns: 500 },
  );
});

test("every filter that is accepted can be asked of the database", async () => {
  const grammar = grammarOf(invoice, shape);
  for (const [name, parameter] of grammar.parameters) {
    await fc.assert(
      fc.asyncProperty(arbitraryOf(schemaOf(parameter.schema)), async (value) => {
        const { status, text } = await send("GET", `${path}?${name}=${encodeURIComponent(String(value))}`);
        // A text may hold a comma, and what follows it may be no value.
        assert.ok(status === 200 || status === 400, text);
        if (parameter.kind !== "text" && parameter.kind !== "array") assert.equal(status, 200, text);
      }),
      { numRuns: 25 },
    );
  }
});
