import { equal, rejects } from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findApp, settingsOf } from "./find-app.ts";

const folder = await mkdtemp(join(tmpdir(), "ashlar-cli-"));
after(() => rm(folder, { recursive: true, force: true }));

const appModule = `export default {
  definition: { name: "notes" },
  variables: {},
  readSettings: () => ({ system: { dataDirectory: "data" } }),
};`;

/** A folder with these files. */
async function place(name: string, files: Record<string, string>): Promise<string> {
  for (const [file, text] of Object.entries(files)) {
    const path = join(folder, name, file);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, text);
  }
  return join(folder, name);
}

test("the app is that of the nearest package.json that names one, from a folder below it too", async () => {
  const root = await place("found", {
    "package.json": `{ "ashlar": { "app": "main.mjs" } }`,
    "main.mjs": appModule,
    "services/notes/package.json": `{ "name": "notes" }`,
  });
  const found = await findApp(join(root, "services", "notes"));
  equal(found.app.definition.name, "notes");
  equal(found.root, root);
  equal(found.file, join(root, "main.mjs"));
});

test("a relative data folder lies in the folder of the package.json, wherever the command is called", async () => {
  const root = await place("data", { "package.json": `{ "ashlar": { "app": "main.mjs" } }`, "main.mjs": appModule });
  equal(settingsOf(await findApp(root)).system.dataDirectory, join(root, "data"));
});

test("without an app the message says how to name one", async () => {
  const root = await place("none", { "package.json": `{ "name": "none" }` });
  await rejects(findApp(root), /no Ashlar app in .*none or above it.*"ashlar": \{ "app"/);
});

test("a package.json that cannot be read is named", async () => {
  await rejects(findApp(await place("broken", { "package.json": "{" })), /broken.package\.json is not JSON/);
  await rejects(
    findApp(await place("wrong", { "package.json": `{ "ashlar": { "app": 1 } }` })),
    /must be the path of a module/,
  );
});

test("a module that is missing, fails or exports something else is named", async () => {
  const manifest = { "package.json": `{ "ashlar": { "app": "main.mjs" } }` };
  await rejects(findApp(await place("missing", manifest)), /main\.mjs cannot be loaded/);
  await rejects(
    findApp(await place("failing", { ...manifest, "main.mjs": `throw new Error("no luck");` })),
    /main\.mjs cannot be loaded: no luck/,
  );
  await rejects(
    findApp(await place("other", { ...manifest, "main.mjs": "export default 1;" })),
    /does not export an app/,
  );
});
