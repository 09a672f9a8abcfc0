// Queries at random, in lists and single rows: nothing makes a 5xx, and what is accepted is true of the answer.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { grammarOf, schemaOf } from "../../contract/index.ts";
import { arbitraryOf, instants, letters, objectOf } from "./arbitraries.ts";
import { startBooks } from "./fixture.ts";

const books = await startBooks();
const { send, invoice } = books;
const path = "/v2/invoices";
const grammar = grammarOf(invoice, books.shape(2));
const keys = [...grammar.sortKeys.keys()];
const rowCount = 200;

let row = "";
test.before(async () => {
  for (let made = 0; made < rowCount;) {
    const { status, json } = await send("POST", path, fc.sample(objectOf(books.schema(2)), 1)[0]);
    if (status !== 201) continue;
    made++;
    row = `${path}/${json.id}`;
  }
});

const sorts = fc
  .uniqueArray(fc.constantFrom(...keys), { minLength: 1, maxLength: 4 })
  .chain((some) => fc.tuple(...some.map((key) => fc.constantFrom("", "+", "-").map((sign) => sign + key))))
  .map((all) => all.join(","));
const fields = fc.uniqueArray(fc.constantFrom(...grammar.fields), { minLength: 1, maxLength: 4 });
const strange = [
  ..."% \\ ' [] {} null true false EUR infinity NaN -0 1e5 99999999999999 0.01 draft sent,paid".split(" "),
  "",
  "x'; select pg_sleep(1) --",
];
const values = fc.oneof(
  instants,
  instants.map((text) => text.slice(0, 10)),
  fc.integer().map(String),
  fc.double().map(String),
  fc.integer({ min: 1, max: 5 }).map(String),
  letters,
  fc.constantFrom(...strange),
  sorts,
  fields.map((all) => all.join(",")),
);
const names = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.constantFrom(
      ...grammar.parameters.keys(),
      ..."limit page cursor sort fields q version includeDeleted nonsense __proto__".split(" "),
    ),
  },
  { weight: 1, arbitrary: letters },
);

const queryOf = (pairs: readonly (readonly [string, string])[]) =>
  pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");

test("N01 N12 no query makes a 5xx, in lists and rows, and what is accepted is a page", async () => {
  const pairs = fc.array(fc.tuple(names, values), { maxLength: 3 });
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("list", "row"), pairs, async (what, query) => {
      const { status, json } = await send("GET", `${what === "list" ? path : row}?${queryOf(query)}`);
      if (status !== 200 || what === "row") return;
      accepted++;
      assert.ok(json.data.length <= json.pagination.limit);
    }),
    { numRuns: 5_500 },
  );
  assert.ok(accepted > 300, `only ${accepted} were accepted`);
});

test("every filter that is accepted can be asked of the database", async () => {
  for (const [name, parameter] of grammar.parameters) {
    await fc.assert(
      fc.asyncProperty(arbitraryOf(schemaOf(parameter.schema)), async (value) => {
        const { status, text } = await send("GET", `${path}?${queryOf([[name, String(value)]])}`);
        // A text may hold a comma, and what follows it may be no value.
        assert.ok(status === 200 || status === 400, text);
        if (parameter.kind !== "text" && parameter.kind !== "array") assert.equal(status, 200, text);
      }),
      { numRuns: 100 },
    );
  }
});

test("in whatever order and width, walking by cursor shows every row once, as single reads do", async () => {
  await fc.assert(
    fc.asyncProperty(sorts, fc.integer({ min: 20, max: 100 }), async (sort, limit) => {
      const seen: string[] = [];
      let next: string | null = "";
      while (next !== null) {
        const query = queryOf([
          ["sort", sort],
          ["limit", String(limit)],
          ...(next === "" ? [] : [["cursor", next] as const]),
        ]);
        const { status, json, text } = await send("GET", `${path}?${query}`);
        assert.equal(status, 200, text);
        seen.push(...json.data.map(({ id }: { id: string }) => id));
        next = json.pagination.nextCursor;
      }
      assert.deepEqual([seen.length, new Set(seen).size], [rowCount, rowCount]);
    }),
    { numRuns: 400 },
  );
});

test("fields shows exactly what it names, with the values of the whole row", async () => {
  const whole = (await send("GET", row)).json;
  await fc.assert(
    fc.asyncProperty(fields, async (some) => {
      const { status, json, text } = await send("GET", `${row}?fields=${some.join(",")}`);
      // Who deleted a row is shown on asking for what was deleted, and only then.
      if (some.includes("deletedAt")) return assert.equal(status, 400, text);
      assert.deepEqual(json, Object.fromEntries(some.map((name) => [name, whole[name]])));
    }),
    { numRuns: 1_000 },
  );
});

books.atLeast(10_000);
