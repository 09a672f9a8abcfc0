// docs/security.md lists every check of the catalogue once, with the tests that there are.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pageFile, readTestFiles, renewed, rowsOf, titlesIn } from "./catalogue.ts";

const sections = { J: 18, R: 15, L: 18, Z: 10, N: 14, G: 16, B: 18, S: 13 };
const catalogue = Object.entries(sections).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, index) => `${letter}${String(index + 1).padStart(2, "0")}`),
);

const page = readFileSync(pageFile, "utf8");
const rows = rowsOf(page);
const sources = readTestFiles();
const titles = [...sources].flatMap(([file, source]) => titlesIn(file, source));

test("the page has a row for each of the 122 checks, in their order, and no other", () => {
  assert.equal(catalogue.length, 122);
  assert.deepEqual(
    rows.map(({ id }) => id),
    catalogue,
  );
  for (const { id, what } of rows) assert.ok(what.length > 10, id);
});

test("each row names the tests that carry its id, with their files; or says why there are none", () => {
  for (const { id, where } of rows) {
    const carrying = titles.filter(({ ids }) => ids.includes(id));
    if (carrying.length === 0) {
      assert.match(where, /^(Not applicable|Not built yet): .{20}/, id);
      continue;
    }
    for (const [, file] of where.matchAll(/`([^`]+\.test\.ts)`/g))
      assert.ok(
        titlesIn(file!, sources.get(file!) ?? "").some(({ ids }) => ids.includes(id)),
        `${id}: ${file}`,
      );
    for (const { file, title } of carrying)
      assert.ok(where.includes(`\`${file}\`: `) && where.includes(`“${title}”`), `${id}: ${file}: ${title}`);
  }
  assert.ok(renewed(page, titles) === page, "run node test/security/catalogue.ts --write");
});

test("no test carries an id that the catalogue does not have", () => {
  const unknown = titles.filter(({ ids }) => ids.some((id) => !catalogue.includes(id)));
  assert.deepEqual(
    unknown.map(({ title }) => title),
    [],
  );
  assert.ok(titles.length > 250);
});

test("every chapter of ASVS 5.0 says which requirements have checks, and which of levels 1 and 2 have none", () => {
  const chapters = [...page.matchAll(/^\| V(\d+) [^|]+ \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)];
  assert.deepEqual(
    chapters.map(([, number]) => Number(number)),
    Array.from({ length: 17 }, (_, index) => index + 1),
  );
  const mapped = chapters.flatMap(([, , ...columns]) => columns.slice(0, 2)).join("; ");
  for (const { id, references } of rows)
    for (const reference of references.filter((one) => /^\d/.test(one)))
      assert.match(mapped, new RegExp(`(^|; )${reference.replaceAll(".", "\\.")}: [^;]*\\b${id}\\b`), id);
  const numbers = (column: number) =>
    chapters.flatMap((chapter) => [...chapter[column]!.matchAll(/\d+\.\d+\.\d+/g)].map(([one]) => one));
  // 70 of level 1 and 183 of level 2, as the standard says.
  assert.equal(new Set([...numbers(2), ...numbers(4)]).size, 253);
});

test("a title is read as it is written: quoted in any way, with what is filled in, or the name of a case", () => {
  const source = [
    'test("J01 one", () => {});',
    "test(`Z01 Z02 ${name} (${method}) two`, () => {});",
    'test(\n  "R01 three, said \\"so\\"", async () => {});',
    'const cases = {\n  "J02 four": () => [],\n  "no id": 1 };',
    'test("about J03", () => {});',
  ].join("\n");
  assert.deepEqual(
    titlesIn("a.test.ts", source).map(({ title, ids }) => [title, ids]),
    [
      ["J01 one", ["J01"]],
      ["Z01 Z02 … (…) two", ["Z01", "Z02"]],
      ['R01 three, said "so"', ["R01"]],
      ["J02 four", ["J02"]],
    ],
  );
});

test("renewing takes the tests of a row from their titles, keeps the reason of one without, and maps requirements", () => {
  const before = [
    "| J01 | one | 9.1.2, API1 | old |",
    "| J02 | two | 9.1.10, 9.1.2 | Not applicable: because |",
    "| V9 Tokens | old | old | old |",
    "| V17 WebRTC | old | old | old |",
    "text",
  ].join("\n");
  const found = titlesIn("a.test.ts", 'test("J01 holds", () => {});');
  assert.deepEqual(renewed(before, found).split("\n"), [
    "| J01 | one | 9.1.2, API1 | `a.test.ts`: “J01 holds” |",
    "| J02 | two | 9.1.10, 9.1.2 | Not applicable: because |",
    "| V9 Tokens | 9.1.2: J01 (J02) | 9.1.10: (J02) | 9.1.1 9.1.3 9.2.1 9.2.2 9.2.3 9.2.4 |",
    "| V17 WebRTC | – | – | 17.1.1 17.2.1 17.2.2 17.2.3 17.2.4 17.3.1 17.3.2 |",
    "text",
  ]);
});
