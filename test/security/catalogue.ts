// The catalogue of security checks, docs/security.md: its rows, and the tests whose titles carry their ids.
//
// What is checked is written by hand. Where it is checked, and which requirement of ASVS that serves, follows
// from the titles of the tests and the references of the rows: `node test/security/catalogue.ts --write` renews
// both, and catalogue.test.ts fails when that was forgotten.

import { globSync, readFileSync, writeFileSync } from "node:fs";
import { root } from "../boundaries/tree.ts";

export const pageFile = `${root}docs/security.md`;

export interface TestTitle {
  file: string;
  /** As it is written, with `…` for what is filled in. */
  title: string;
  ids: string[];
}

export interface Row {
  id: string;
  what: string;
  references: string[];
  /** The tests; or, where there are none, why. */
  where: string;
}

/** The requirements of levels 1 and 2 in ASVS 5.0.0; all others are of level 3. */
const levels1And2 = requirementsIn(`
  1.1.1-2 1.2.1-9 1.3.1-11 1.4.1-3 1.5.1-2 2.1.1-3 2.2.1-3 2.3.1-4 2.4.1 3.2.1-2 3.3.1-4 3.4.1-6 3.5.1-5 3.7.1-2
  4.1.1-3 4.2.1 4.3.1-2 4.4.1-4 5.1.1 5.2.1-3 5.3.1-2 5.4.1-3 6.1.1-3 6.2.1-12 6.3.1-4 6.4.1-4 6.5.1-5 6.6.1-3
  6.8.1-4 7.1.1-3 7.2.1-4 7.3.1-2 7.4.1-5 7.5.1-2 7.6.1-2 8.1.1-2 8.2.1-3 8.3.1 8.4.1 9.1.1-3 9.2.1-4 10.1.1-2
  10.2.1-2 10.3.1-4 10.4.1-11 10.5.1-5 10.6.1-2 10.7.1-3 11.1.1-2 11.2.1-3 11.3.1-3 11.4.1-4 11.5.1 11.6.1 12.1.1-3
  12.2.1-2 12.3.1-4 13.1.1 13.2.1-5 13.3.1-2 13.4.1-5 14.1.1-2 14.2.1-4 14.3.1-3 15.1.1-3 15.2.1-3 15.3.1-7 16.1.1
  16.2.1-5 16.3.1-4 16.4.1-3 16.5.1-3 17.1.1 17.2.1-4 17.3.1-2`);

const testFiles = "{kernel,store,test,lint,examples}/**/*.test.ts";

export function readTestFiles(): Map<string, string> {
  // The examples of titles in the test of this very file are none.
  const exclude = ["**/node_modules/**", "test/security/catalogue.test.ts"];
  const files = globSync(testFiles, { cwd: root, exclude }).toSorted();
  return new Map(files.map((file) => [file, readFileSync(root + file, "utf8")]));
}

/** The titles in a file: of tests, and the names of cases that a test makes its title of. */
export function titlesIn(file: string, source: string): TestTitle[] {
  const tests = [...source.matchAll(/\btest\(\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1/g)].map(([, , title]) => title!);
  const cases = [...source.matchAll(/^\s*"([A-Z]\d\d [^"\n]*)":/gm)].map(([, title]) => title!);
  return [...tests, ...cases]
    .map((text) => text.replaceAll(/\$\{[^}]*\}/g, "…").replaceAll(/\\(.)/g, "$1"))
    .map((title) => ({ file, title, ids: idsIn(title) }))
    .filter(({ ids }) => ids.length > 0);
}

/** The ids that a title begins with. */
function idsIn(title: string): string[] {
  return /^(?:[A-Z]\d\d )+/.exec(title)?.[0].trim().split(" ") ?? [];
}

export function rowsOf(page: string): Row[] {
  return page.split("\n").flatMap((line) => rowOf(line) ?? []);
}

function rowOf(line: string): Row | undefined {
  if (!/^\| [A-Z]\d\d \|/.test(line)) return undefined;
  const [id, what, references, where] = line.slice(2, -2).split(" | ");
  return {
    id: id!,
    what: what!,
    references: (references ?? "").split(", ").filter((one) => one !== "–"),
    where: where ?? "",
  };
}

/** The page with its tests and its requirements as they are now. A row without tests keeps its reason. */
export function renewed(page: string, titles: readonly TestTitle[]): string {
  const rows = rowsOf(page);
  return page
    .split("\n")
    .map((line) => {
      const row = rowOf(line);
      if (row !== undefined) return lineOf({ ...row, where: testsOf(row.id, titles) || row.where });
      const chapter = /^\| V(\d+) [^|]+ \|/.exec(line);
      return chapter === null ? line : `${chapter[0]} ${requirementsOf(chapter[1]!, rows, titles).join(" | ")} |`;
    })
    .join("\n");
}

function lineOf({ id, what, references, where }: Row): string {
  return `| ${[id, what, references.join(", ") || "–", where].join(" | ")} |`;
}

function testsOf(id: string, titles: readonly TestTitle[]): string {
  const found = Map.groupBy(
    titles.filter(({ ids }) => ids.includes(id)),
    ({ file }) => file,
  );
  return [...found]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, some]) => `\`${file}\`: ${some.map(({ title }) => `“${title}”`).join(", ")}`)
    .join("<br>");
}

/** Of a chapter: what has checks in levels 1 and 2, what in level 3, and what has none in levels 1 and 2. */
function requirementsOf(chapter: string, rows: readonly Row[], titles: readonly TestTitle[]): string[] {
  const isTested = (id: string) => titles.some(({ ids }) => ids.includes(id));
  const pairs = rows.flatMap(({ id, references }) =>
    references.filter((one) => isOf(chapter, one)).map((requirement) => ({ id, requirement })),
  );
  const checked = Map.groupBy(pairs, ({ requirement }) => requirement);
  const listed = (wanted: (requirement: string) => boolean) =>
    [...checked]
      .filter(([requirement]) => wanted(requirement))
      .toSorted(([a], [b]) => inOrder(a, b))
      .map(
        ([requirement, some]) => `${requirement}: ${some.map(({ id }) => (isTested(id) ? id : `(${id})`)).join(" ")}`,
      )
      .join("; ");
  const without = levels1And2.filter((one) => isOf(chapter, one) && !checked.has(one));
  return [
    listed((one) => levels1And2.includes(one)) || "–",
    listed((one) => !levels1And2.includes(one)) || "–",
    without.join(" ") || "–",
  ];
}

function isOf(chapter: string, requirement: string): boolean {
  return requirement.split(".")[0] === chapter && requirement.includes(".");
}

function inOrder(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** `1.1.1-2 2.4.1` as the list of each. */
function requirementsIn(ranges: string): string[] {
  return ranges
    .trim()
    .split(/\s+/)
    .flatMap((range) => {
      const [first, last] = range.split("-") as [string, string?];
      const [chapter, section, from] = first.split(".").map(Number) as [number, number, number];
      const count = Number(last ?? from) - from + 1;
      return Array.from({ length: count }, (_, index) => `${chapter}.${section}.${from + index}`);
    });
}

if (import.meta.main && process.argv.includes("--write")) {
  const titles = [...readTestFiles()].flatMap(([file, source]) => titlesIn(file, source));
  writeFileSync(pageFile, renewed(readFileSync(pageFile, "utf8"), titles));
}
