// `ashlar contract`: the documents of every service, kept beside its contract and reviewed as a diff.

import { readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { asyncApi, openApi } from "../contract/index.ts";
import { differences } from "./differences.ts";
import { findApp } from "./find-app.ts";

interface ServiceDocument {
  path: string;
  content: object;
}

export async function writeDocuments(): Promise<void> {
  for (const { path, content } of await documents()) {
    const text = format(content);
    if ((await readIfThere(path)) === text) continue;
    await writeFile(path, text);
    process.stdout.write(`Wrote ${shown(path)}\n`);
  }
}

/** Fails when a written document is not what the contract says now. */
export async function checkDocuments(): Promise<void> {
  const stale: string[] = [];
  for (const { path, content } of await documents()) {
    const written = await readIfThere(path);
    if (written !== format(content)) stale.push(describe(path, written, content));
  }
  if (stale.length > 0)
    throw new Error(
      `the files are not what the contracts say.\n\n${stale.join("\n")}\n\nRun \`ashlar contract write\` and review the change.`,
    );
}

async function documents(): Promise<ServiceDocument[]> {
  const { app, file } = await findApp();
  const { contracts, title, version } = app.definition;
  return contracts.flatMap((contract) => {
    const directory = join(dirname(file), "services", contract.name);
    const info = { title: `${title}: ${contract.name}`, version };
    return [
      { path: join(directory, "openapi.json"), content: openApi([contract], info) },
      { path: join(directory, "asyncapi.json"), content: asyncApi([contract], info) },
    ];
  });
}

function format(content: object): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}

function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

const shownMax = 12;

function describe(path: string, written: string | undefined, content: object): string {
  if (written === undefined) return `${shown(path)} is missing`;
  const found = differences(parse(written), JSON.parse(JSON.stringify(content)));
  if (found.length === 0) return `${shown(path)} is formatted differently`;
  const more = found.length > shownMax ? [`  and ${found.length - shownMax} more`] : [];
  return [`${shown(path)}:`, ...found.slice(0, shownMax).map((line) => `  ${line}`), ...more].join("\n");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function shown(path: string): string {
  return relative(process.cwd(), path);
}
