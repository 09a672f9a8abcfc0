import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { day, moment, type TSchema } from "./schema.ts";
import { compileValidator } from "./validate.ts";

const accepted = (schema: TSchema, values: readonly unknown[]) => {
  const validate = compileValidator(schema);
  return values.filter((value) => validate(value).length === 0);
};

test("a day is one of the calendar, from the year 1", () => {
  const good = ["2026-01-31", "2028-02-29", "0001-01-01", "9999-12-31"];
  const bad = [
    "2026-02-29",
    "2026-02-30",
    "2026-04-31",
    "2026-13-01",
    "2026-00-10",
    "0000-01-01",
    "2026-1-1",
    "20260101",
    "+2026-01-01",
    "2026-01-01 ",
    "2026-01-01\n",
    "12026-01-01",
    "",
    20260101,
  ];
  deepEqual(accepted(day(), [...good, ...bad]), good);
});

test("a moment is RFC 3339 to the microsecond, within what the database holds and an answer can show", () => {
  const good = [
    "2026-01-01T00:00:00Z",
    "2026-01-01T23:59:59.123456Z",
    "2026-01-01T00:00:00+02:00",
    "2026-01-01T00:00:00-14:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
  ];
  const bad = [
    "2026-01-01 00:00:00Z",
    "2026-01-01t00:00:00z",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-12-31T23:59:60Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01T00:00:00.1234567Z",
    "2026-01-01T00:00:00.Z",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00+02",
    "2026-01-01T00:00:00Z\n",
    "0000-12-31T00:00:00Z",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
  ];
  deepEqual(accepted(moment(), [...good, ...bad]), good);
});
