// Bodies at random: what is accepted reads back as it was sent, and nothing makes a 5xx.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { JsonSchema } from "../../contract/index.ts";
import { almost, type Body, objectOf, visible } from "./arbitraries.ts";
import { startBooks } from "./fixture.ts";

const books = await startBooks();
const { send } = books;
const versions = [1, 2] as const;
const path = (version: number) => `/v${version}/invoices`;
const accepted = (version: number) => objectOf(books.schema(version));

/** A new row, by its address; the version decides how it is shown. */
async function address(version: number): Promise<string> {
  for (;;) {
    const { status, json } = await send("POST", path(version), fc.sample(accepted(version), 1)[0]);
    if (status === 201) return `${path(version)}/${json.id}`;
  }
}

/** What is left out of a body is its default, in nested objects too. */
function filled(of: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => filled(of.items!, one));
  if (of.properties === undefined || value === null) return value;
  const given = value as Body;
  return Object.fromEntries(
    Object.entries(of.properties).map(([name, property]) => [
      name,
      name in given ? filled(property, given[name]) : property.default,
    ]),
  );
}

const shownOf = (schema: JsonSchema, row: Body) =>
  Object.fromEntries(Object.keys(schema.properties!).map((name) => [name, row[name]]));

for (const version of versions) {
  const schema = books.schema(version);

  test(`what a create in version ${version} accepts reads back exactly as sent, defaults filled in`, async () => {
    let created = 0;
    await fc.assert(
      fc.asyncProperty(accepted(version), async (body) => {
        const answer = await send("POST", path(version), body);
        if (answer.status === 409) return;
        assert.equal(answer.status, 201, answer.text);
        created++;
        assert.deepEqual(shownOf(schema, answer.json), filled(schema, body));
        assert.deepEqual((await send("GET", `${path(version)}/${answer.json.id}`)).json, answer.json);
      }),
      { numRuns: 600 },
    );
    assert.ok(created > 300, `only ${created} were accepted`);
  });

  test(`what a PUT in version ${version} accepts is the whole row afterwards, defaults filled in`, async () => {
    const target = await address(version);
    let replaced = 0;
    await fc.assert(
      fc.asyncProperty(accepted(version), async (body) => {
        const answer = await send("PUT", target, body);
        if (answer.status === 409) return;
        assert.equal(answer.status, 200, answer.text);
        replaced++;
        assert.deepEqual(shownOf(schema, answer.json), filled(schema, body));
        assert.deepEqual((await send("GET", target)).json, answer.json);
      }),
      { numRuns: 600 },
    );
    assert.ok(replaced > 300, `only ${replaced} were accepted`);
  });

  test(`a PATCH in version ${version} changes what it names to what was sent, and nothing else`, async () => {
    const target = await address(version);
    const { series: _series, number: _number, ...rest } = schema.properties!;
    await fc.assert(
      fc.asyncProperty(objectOf({ properties: rest }, true), async (patch) => {
        const before = (await send("GET", target)).json;
        const { status, json, text } = await send("PATCH", target, patch);
        assert.equal(status, 200, text);
        const named = Object.entries(patch).map(([name, value]) => [name, merged(before[name], value)]);
        const expected = { ...before, ...Object.fromEntries(named), version: 0, updatedAt: "" };
        assert.deepEqual({ ...json, version: 0, updatedAt: "" }, expected);
        assert.deepEqual((await send("GET", target)).json, json);
      }),
      { numRuns: 500 },
    );
  });
}

/** RFC 7396 over objects whose members are null when they are absent. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const into = (target ?? {}) as Body;
  return {
    ...into,
    ...Object.fromEntries(Object.entries(patch).map(([name, value]) => [name, merged(into[name], value)])),
  };
}

test("all that a bulk create accepts reads back exactly as sent, and of what it refuses nothing is there", async () => {
  const schema = books.schema(2);
  const items = fc.array(fc.oneof({ weight: 9, arbitrary: accepted(2) }, { weight: 1, arbitrary: fc.constant({}) }), {
    minLength: 1,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(items, async (bodies) => {
      const before = (await send("GET", `${path(2)}?limit=1`)).json.pagination.total;
      const { status, json, text } = await send("POST", `${path(2)}/bulk`, { items: bodies });
      const after = (await send("GET", `${path(2)}?limit=1`)).json.pagination.total;
      assert.ok([201, 400, 409].includes(status), text);
      assert.equal(after - before, status === 201 ? bodies.length : 0);
      if (status === 201)
        assert.deepEqual(
          json.data.map((row: Body) => shownOf(schema, row)),
          bodies.map((body) => filled(schema, body)),
        );
    }),
    { numRuns: 300 },
  );
});

test("N06 N07 N09 no body makes a 5xx, whatever the method and the headers, and every refusal has its details", async () => {
  const targets = { 1: await address(1), 2: await address(2) };
  const headers = fc.record(
    {
      "if-match": fc.oneof(fc.constant('"1"'), visible),
      "idempotency-key": visible,
      accept: fc.oneof(fc.constant("application/json;version=1"), visible),
      "content-type": fc.oneof(fc.constant("application/json"), fc.constant("application/merge-patch+json"), visible),
    },
    { requiredKeys: [] },
  );
  const request = fc.constantFrom(...versions).chain((version) => {
    const some = accepted(version);
    return fc.tuple(
      fc.constant(version),
      fc.constantFrom("POST", "PUT", "PATCH"),
      fc.oneof(almost(some, Object.keys(books.schema(version).properties!)), some),
      headers,
    );
  });
  await fc.assert(
    fc.asyncProperty(request, async ([version, method, body, sent]) => {
      const raw = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
      const { status, text, json } = await send(
        method,
        method === "POST" ? path(version) : targets[version],
        raw,
        sent,
      );
      if (status >= 400 && !String(sent.accept).includes("problem")) assert.ok(Array.isArray(json.error.details), text);
    }),
    { numRuns: 4_000 },
  );
});

books.atLeast(10_000);
