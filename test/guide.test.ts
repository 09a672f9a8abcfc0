// The guide says what is so: everything it shows is compared with examples/ and with what they answer.
//
// - A block of code names its file behind the language (```ts examples/notes/main.ts) and is that file to the
//   byte, or an excerpt of it: its parts stand in the file in this order, with a line of `// ...` or `-- ...`
//   where something is left out.
// - A block of `console` has commands behind "$ " and what each prints. `npx ashlar -C examples/<name> start`
//   starts that example, `curl` asks it, `NAME=$(...)` keeps what a command prints. How the two are
//   compared is said in guide/likeness.ts. A GET is asked again for a while, since an event takes a moment.
// - Blocks of other languages (`text`, `sh`) are shown and not run.
//
// The example of the first page runs on a PostgreSQL of its own, as it does for who follows the page; the
// others on the one of the test run, which starts sooner.

import { deepEqual, ok } from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { test } from "node:test";
import type { App } from "ashlar/runtime";
import { createTestDatabase } from "ashlar/testing";
import { stepsOf, wordsOf } from "./guide/console.ts";
import { curl } from "./guide/curl.ts";
import { createLikeness } from "./guide/likeness.ts";
import { type Block, isShownBy, type Page, readPages, root } from "./guide/pages.ts";
import { createStoreFolder, eventually, type StoreFolder } from "./store-process.ts";

const pages = readPages();
const onItsOwnPostgres = "examples/notes";

test("every block of code in the guide is its file, or an excerpt of it", () => {
  for (const page of pages) {
    for (const block of page.blocks.filter(({ language }) => ["ts", "sql", "json"].includes(language))) {
      const place = `${page.file}:${block.line}`;
      ok(block.file !== undefined && existsSync(root + block.file), `${place} names no file of the repository`);
      ok(
        isShownBy(readFileSync(root + block.file, "utf8"), block.text),
        `${place} shows something else than ${block.file}. Copy the file, or mark an excerpt with a line of "// ...".`,
      );
    }
  }
});

test("every file of the examples is shown in the guide", () => {
  const shown = new Set(pages.flatMap(({ blocks }) => blocks.map(({ file }) => file)));
  const files = globSync("examples/**/*.{ts,sql}", { cwd: root, exclude: ["**/.ashlar/**"] });
  deepEqual(
    files.filter((file) => !shown.has(file)),
    [],
  );
});

test("a resource takes 30 lines, and every example fewer than 100, its tests not counted", () => {
  const linesOf = (folder: string) =>
    globSync(`${folder}/**/*.ts`, { cwd: root, exclude: ["**/*.test.ts", "**/.ashlar/**"] })
      .map((file) => readFileSync(root + file, "utf8").split("\n").length - 1)
      .reduce((sum, lines) => sum + lines, 0);
  for (const folder of globSync("examples/*", { cwd: root })) {
    const max = folder === "examples/notes" ? 30 : 99;
    ok(linesOf(folder) <= max, `${folder} has ${linesOf(folder)} lines`);
  }
});

test("every link of the guide leads somewhere", () => {
  for (const { file, text } of pages) {
    for (const [, target, anchor] of text.matchAll(/\]\(([^)#:]*)(#[^)]*)?\)/g)) {
      const page = target === "" ? file : join(dirname(file), target!);
      ok(existsSync(root + page), `${file} links to ${target}`);
      const headings = readFileSync(root + page, "utf8").matchAll(/^#+ (.*)$/gm);
      const anchors = [...headings].map(([, heading]) => `#${heading!.toLowerCase().replaceAll(/[^\w -]/g, "")}`);
      ok(
        anchor === undefined || anchors.some((one) => one.replaceAll(" ", "-") === anchor),
        `${file} links to ${page}${anchor}`,
      );
    }
  }
});

for (const page of pages.filter(({ blocks }) => blocks.some(isConsole))) {
  test(`${page.file}: each command prints what the page shows`, async () => {
    const terminal = createTerminal();
    try {
      for (const { command, output, place } of stepsOfPage(page)) await terminal.run(command, output, place);
    } finally {
      await terminal.close();
    }
  });
}

function isConsole({ language }: Block): boolean {
  return language === "console";
}

function stepsOfPage({ file, blocks }: Page) {
  return blocks
    .filter(isConsole)
    .flatMap(({ text, line }) => stepsOf(text).map((step) => ({ ...step, place: `${file}:${line}` })));
}

function createTerminal() {
  const likeness = createLikeness();
  const variables = new Map<string, string>();
  const folders = new Map<string, StoreFolder>();
  let url = "";

  async function print(command: string): Promise<string> {
    const [program, ...words] = wordsOf(command, variables);
    if (program === "curl") return curl(words, url);
    const [ashlar, option, app = "", ...rest] = words;
    if (program !== "npx" || ashlar !== "ashlar" || option !== "-C")
      throw new Error(`The guide's test cannot run this command: ${command}`);
    const folder = folders.get(app) ?? (await createStoreFolder(root + app, await databasesOf(app)));
    folders.set(app, folder);
    if (rest[0] === "start") {
      url = (await folder.start()).url;
      return "";
    }
    const { code, stdout, stderr } = await folder.cli(...rest);
    return code === 0 ? stdout : stderr;
  }

  return {
    async run(shownCommand: string, output: string, place: string): Promise<void> {
      const command = likeness.withRealIds(shownCommand);
      const kept = /^([A-Z_]+)=\$\((.*)\)$/s.exec(command);
      if (kept !== null) return void variables.set(kept[1]!, (await print(kept[2]!)).trim());
      let printed = await print(command);
      if (output.trim() === "") return;
      const isRepeatable = command.startsWith("curl") && !/ (-X|--json) /.test(command);
      const isLike = () => likeness.isLike(output, printed);
      if (isRepeatable && !isLike()) {
        const again = async () => ((printed = await print(command)), isLike());
        await eventually(again, 5_000).catch(() => {});
      }
      ok(isLike(), `${place}\n$ ${command}\n${printed}\n\nThe page shows:\n${output}`);
    },
    async close(): Promise<void> {
      await Promise.all([...folders.values()].map((folder) => folder.remove()));
    },
  };
}

/** The settings that put an example's databases on the server of the test run. */
async function databasesOf(folder: string): Promise<Record<string, string>> {
  if (folder === onItsOwnPostgres) return {};
  const { default: app } = (await import(`${root}${folder}/main.ts`)) as { default: App };
  const names = app.definition.contracts.map(({ database }) => database);
  const urls = await Promise.all(names.map(async () => (await createTestDatabase()).url));
  return Object.fromEntries(names.map((name, index) => [`${name.toUpperCase()}_DATABASE_URL`, urls[index]!]));
}
