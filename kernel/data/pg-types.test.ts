import { deepEqual, equal } from "node:assert/strict";
import { after, before, test } from "node:test";
import { silentLogger, systemClock } from "../base/index.ts";
import { createTestDatabase } from "../testing/postgres.ts";
import { createDatabase, type Database } from "./database.ts";
import { parseNumeric, parseTimestamptz } from "./pg-types.ts";

let database: Database;

before(async () => {
  database = createDatabase({ url: (await createTestDatabase()).url, log: silentLogger, clock: systemClock });
});

after(() => database.close());

async function valueOf(expression: string): Promise<unknown> {
  return (await database.query(`select ${expression} as value`)).rows[0]!.value;
}

const values: [string, unknown][] = [
  ["timestamptz '2026-01-01 10:00:00.123456+02'", "2026-01-01T08:00:00.123456Z"],
  ["timestamptz '2026-01-01 10:00:00.1+00'", "2026-01-01T10:00:00.100Z"],
  ["timestamptz '2026-01-01 10:00:00+00'", "2026-01-01T10:00:00.000Z"],
  ["timestamptz '0001-01-01 00:00:00+00'", "0001-01-01T00:00:00.000Z"],
  ["timestamptz 'infinity'", "infinity"],
  ["timestamp '2026-01-01 10:00:00.5'", "2026-01-01T10:00:00.5"],
  ["date '2026-01-31'", "2026-01-31"],
  ["42::int8", 42],
  ["9007199254740991::int8", Number.MAX_SAFE_INTEGER],
  ["(-9007199254740991)::int8", -Number.MAX_SAFE_INTEGER],
  ["9007199254740993::int8", "9007199254740993"],
  ["count(*) from generate_series(1, 3)", 3],
  ["99.99::numeric", 99.99],
  ["99.90::numeric(12,2)", 99.9],
  ["(-0.01)::numeric", -0.01],
  ["100::numeric", 100],
  ["1.005::numeric", "1.005"],
  ["9999999999999.99::numeric", 9_999_999_999_999.99],
  ["99999999999999.99::numeric", "99999999999999.99"],
  ["'NaN'::numeric", "NaN"],
  ["uuid '018f0000-0000-7000-8000-000000000000'", "018f0000-0000-7000-8000-000000000000"],
  [`jsonb '{"a": [1, null, "x"]}'`, { a: [1, null, "x"] }],
  ["null::timestamptz", null],
  ["true", true],
  ["0.1::float8", 0.1],
  ["array[1, 9007199254740993]::int8[]", [1, "9007199254740993"]],
  ["array[1.5, null]::numeric[]", [1.5, null]],
  ["array[timestamptz '2026-01-01 10:00:00+00']", ["2026-01-01T10:00:00.000Z"]],
  ["array[date '2026-01-31']", ["2026-01-31"]],
  ["array['a', null]", ["a", null]],
];

for (const [expression, expected] of values) {
  test(`${expression} arrives as ${JSON.stringify(expected)}`, async () => {
    deepEqual(await valueOf(`(select ${expression})`), expected);
  });
}

test("a timestamp goes back as it came", async () => {
  const sent = "2026-01-01T10:00:00.123456Z";
  const { rows } = await database.query(
    "select $1::timestamptz as value, $1::timestamptz = '2026-01-01 10:00:00.123456+00' as same",
    [sent],
  );
  deepEqual(rows, [{ value: sent, same: true }]);
});

test("an offset is applied when a session is not in UTC after all", () => {
  equal(parseTimestamptz("2026-01-01 00:30:00.123456+05:30"), "2025-12-31T19:00:00.123456Z");
  equal(parseTimestamptz("2026-01-01 22:00:00-08"), "2026-01-02T06:00:00.000Z");
  equal(parseTimestamptz("1880-01-01 00:00:00+00:09:21"), "1879-12-31T23:50:39.000Z");
});

test("money stays exact or stays text", () => {
  for (let minor = 0; minor < 20_000; minor += 7) {
    const text = `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, "0")}`;
    equal(Math.round((parseNumeric(text) as number) * 100), minor);
    equal((parseNumeric(text) as number).toFixed(2), text);
  }
});
