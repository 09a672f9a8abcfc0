import { deepEqual, equal, notEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { createCursors } from "./cursor.ts";

const cursors = createCursors(new Uint8Array(32).fill(7));
const values = ["2026-01-01T10:00:00.123456Z", 9.99, true, "018c8b2c-0000-7000-8000-000000000000", "\u{1F600} \"'\\"];
const invalid = (error: unknown) =>
  (error as { code: string; details: { field: string }[] }).code === "INVALID_CURSOR" &&
  (error as { details: { field: string }[] }).details[0]!.field === "cursor";

test("a cursor gives its values back to the list it was made for", () => {
  const cursor = cursors.encode("orders of usr_1", values);
  deepEqual(cursors.decode("orders of usr_1", cursor), values);
  // In a query it needs no escaping.
  equal(encodeURIComponent(cursor), cursor);
});

test("N03 for another list, caller or secret it is invalid, like a forged one", () => {
  const cursor = cursors.encode("orders of usr_1", values);
  for (const binding of ["orders of usr_2", "", "orders of usr_1 "])
    throws(() => cursors.decode(binding, cursor), invalid);
  const others = createCursors(new Uint8Array(32).fill(8));
  notEqual(others.encode("orders of usr_1", values), cursor);
  throws(() => others.decode("orders of usr_1", cursor), invalid);
});

test("N03 every other spelling is invalid: each letter changed, cut short, padded, extended", () => {
  const cursor = cursors.encode("x", values);
  const changed = [...cursor].flatMap((letter, index) =>
    ["A", "B", "-", "=", "."]
      .filter((other) => other !== letter)
      .map((other) => cursor.slice(0, index) + other + cursor.slice(index + 1)),
  );
  const cut = [...cursor].map((_, index) => cursor.slice(0, index));
  for (const bad of [
    ...changed,
    ...cut,
    `${cursor}=`,
    `${cursor}A`,
    `${cursor}.`,
    `.${cursor}`,
    ` ${cursor}`,
    `${cursor}\n`,
    cursor.replace(".", "\u2024"),
    "x".repeat(10_000),
  ]) {
    throws(() => cursors.decode("x", bad), invalid, bad);
  }
});
