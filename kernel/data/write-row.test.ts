// What is written straight from PostgreSQL's answer says the same as the row made of values and written as JSON.

import { deepEqual, equal } from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { encodeId, silentLogger, systemClock, systemRandom, uuidv7 } from "../base/index.ts";
import {
  day,
  flag,
  id,
  integer,
  list,
  moment,
  money,
  nullable,
  object,
  resource,
  schemaOf,
  text,
} from "../contract/index.ts";
import { createTestDatabase } from "../testing/index.ts";
import { createDatabase, type Database } from "./database.ts";
import { createTable } from "./table.ts";

const line = object({ name: text({ max: 100 }), count: integer() });
const thing = resource("thing", {
  path: "/things",
  id: "thg",
  properties: {
    name: text({ max: 1_000 }),
    note: nullable(text({ max: 1_000 })),
    price: money(),
    count: integer({ max: Number.MAX_SAFE_INTEGER }),
    isOpen: flag(),
    at: nullable(moment()),
    on: nullable(day()),
    tags: list(text({ max: 100 }), { max: 9 }),
    lines: list(line, { max: 9 }),
    more: nullable(object({ a: nullable(text({ max: 9 })) })),
    otherId: nullable(id("oth")),
  },
  private: { secret: text({ max: 100 }) },
  access: {},
});
const table = createTable(thing);
const visible = Object.keys(schemaOf(thing.representation).properties!);
const newId = (prefix: string) => encodeId(prefix, uuidv7(systemClock, systemRandom));

let database: Database;
before(async () => {
  const { url } = await createTestDatabase();
  database = createDatabase({ url, log: silentLogger, clock: systemClock });
  await database.query(
    `create table things (id uuid primary key, name text, note text, price numeric(15, 2), count bigint, is_open boolean,
       at timestamptz, "on" date, tags text[], lines json, more jsonb, other_id uuid, secret text,
       version int, created_at timestamptz, updated_at timestamptz)`,
  );
});
after(() => database.close());

/** Both ways of a row that is in the table. */
async function bothWays(rowId: string): Promise<{ written: string; made: Record<string, unknown> }> {
  const stored = (await table.getStored(database, rowId))!;
  const row: Record<string, unknown> = table.decode(stored);
  return { written: table.write(stored), made: Object.fromEntries(visible.map((name) => [name, row[name]])) };
}

const hostileTexts = [
  '"',
  "\\",
  '\\"',
  "\n\r\t\b\f",
  "\u007f\u0080\u009f",
  "\u2028\u2029",
  "</script><!--",
  "😀 \u{10ffff}",
  "ﬃ é e\u0301 ‮",
  "null",
  '{"a":1}',
  "",
];
const anyText = fc.oneof(
  fc.constantFrom(...hostileTexts),
  fc.string({ unit: "binary", maxLength: 30 }).map((made) => made.replaceAll("\u0000", "")),
);
const anyRow = fc.record({
  name: anyText,
  note: fc.option(anyText),
  price: fc.integer({ min: -1_000_000, max: 999_999_999_999 }).map((minor) => Number((minor / 100).toFixed(2))),
  count: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, -0, Number.MAX_SAFE_INTEGER)),
  isOpen: fc.boolean(),
  at: fc.option(
    fc.constantFrom(
      "2026-01-01T10:00:00.123456Z",
      "0001-01-01T00:00:00Z",
      "9999-12-31T23:59:59.9Z",
      "2026-06-01T00:00:00.120Z",
    ),
  ),
  on: fc.option(fc.constantFrom("2026-01-31", "0001-01-01", "9999-12-31")),
  tags: fc.array(anyText, { maxLength: 3 }),
  lines: fc.array(fc.record({ name: anyText, count: fc.oneof(fc.integer(), fc.double({ noNaN: true })) }), {
    maxLength: 3,
  }),
  more: fc.option(fc.record({ a: fc.option(anyText) })),
  otherId: fc.option(fc.constantFrom("oth_00000000000000000000000000", "oth_7zzzzzzzzzzzzzzzzzzzzzzzzz")),
  secret: fc.constant("not to be seen"),
});

test("a row is written as it would be made, whatever it holds", async () => {
  await fc.assert(
    fc.asyncProperty(anyRow, async (values) => {
      const row = { ...values, id: newId("thg") } as never as { id: string };
      await database.transaction((tx) => table.insert(tx, row, "2026-01-01T00:00:00.000Z"));
      const { written, made } = await bothWays(row.id);
      deepEqual(JSON.parse(written), JSON.parse(JSON.stringify(made)));
      equal(written.includes("not to be seen"), false);
      // JSON that was written as JSON is the same to the byte; only jsonb has spaces of its own.
      if (values.more === null) equal(written, JSON.stringify(made));
    }),
    { numRuns: 150 },
  );
});

test("what SQL of one's own left in a row is written as it would be made", async () => {
  const rowId = newId("thg");
  const values = { id: rowId, lines: [], tags: [], name: "x", secret: "" } as never as { id: string };
  await database.transaction((tx) => table.insert(tx, values, "2026-01-01T00:00:00.000Z"));
  for (const change of [
    `lines = '[ {"name" : "\\ud83d\\ude00 \\ud800 \\u2028", "count": -0.0}, 1e2,\n null ]'`,
    `lines = '[12345678901234567890, 1.10, 1e-7, "\\u0000"]'`,
    `lines = 'null', more = 'null'`,
    `lines = '"text"', more = '["a", {"b": 1.50}]'`,
    `lines = null, more = null, tags = null, count = null, price = null, is_open = null, name = null`,
    `count = 9223372036854775807, price = 9999999999999.99`,
    `at = 'infinity', "on" = '-infinity'`,
    `at = '0044-03-15 12:00:00+00 BC', "on" = '0044-03-15 BC'`,
    `at = '12026-01-01 00:00:00+00'`,
    `tags = array[null, '{"a"}', '']`,
  ]) {
    await database.query(`update things set ${change}`);
    const { written, made } = await bothWays(rowId);
    // Written again, since a zero that PostgreSQL keeps with a minus is one with, and none without it.
    equal(JSON.stringify(JSON.parse(written)), JSON.stringify(made), change);
  }
});

test("the names of properties are written in the order of the contract", async () => {
  const rowId = newId("thg");
  await database.transaction((tx) => table.insert(tx, { id: rowId, lines: [], name: "x" }, "2026-01-01T00:00:00.000Z"));
  const { written } = await bothWays(rowId);
  deepEqual(Object.keys(JSON.parse(written) as object), visible);
});
