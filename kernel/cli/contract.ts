// `ashlar contract`: the documents of every service, kept beside its contract and reviewed as a diff.
//
// A committed document is a promise to clients. `write` renews it, so afterwards the working tree has
// nothing left to compare with: therefore `write` refuses what breaks the promise, and `check --against`
// compares with an earlier commit, where the old promise still stands.

import { writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemClock } from "../base/index.ts";
import { accept, acceptedFile, nameOf } from "./accepted-changes.ts";
import { changesSince, countOf, describeChanges, type DocumentChanges } from "./changes.ts";
import { type Documents, documentsOf } from "./documents.ts";
import { earlierDocuments } from "./earlier-documents.ts";
import { findApp } from "./find-app.ts";

export interface ContractOptions {
  /** A commit or a folder. Default: the files as they are. */
  against?: string;
  /** Why changes that break clients are made all the same. */
  breaking?: string;
}

const wayOut = `A client of an existing version must not notice: declare a new version of the API (a new type for an event),
or record that it is meant: \`ashlar contract write --breaking "<reason>"\``;

export async function write(options: ContractOptions): Promise<void> {
  process.stdout.write(await writeDocuments(documentsOf(await findApp()), options));
}

export async function check(options: ContractOptions): Promise<void> {
  process.stdout.write(await checkDocuments(documentsOf(await findApp()), options));
}

/** Answers what was written, a line for each file. */
export async function writeDocuments(documents: Documents, { against, breaking }: ContractOptions): Promise<string> {
  const earlier = await earlierDocuments(documents.root, against);
  const found = await changesSince(earlier, documents, systemClock.nowMs());
  const count = countOf(found, "breaking");
  if (count > 0 && breaking === undefined)
    throw new Error(`nothing is written, since ${breaks(count)}.\n\n${describeChanges(found)}\n\n${wayOut}.`);
  const recorded = breaking === undefined ? [] : await recordBreaking(documents.root, found, breaking);
  const written = [...recorded, ...(await writeFiles(documents))];
  return written.map((path) => `Wrote ${path}\n`).join("");
}

async function recordBreaking(root: string, found: readonly DocumentChanges[], reason: string): Promise<string[]> {
  const written: string[] = [];
  for (const [directory, inService] of Map.groupBy(found, ({ path }) => dirname(path))) {
    const names = inService.flatMap(({ path, changes }) =>
      changes.filter(({ verdict }) => verdict === "breaking").map((change) => nameOf(basename(path), change)),
    );
    if (names.length === 0) continue;
    const path = `${directory}/${acceptedFile}`;
    await accept(join(root, path), reason, names);
    written.push(path);
  }
  return written;
}

async function writeFiles({ root, all }: Documents): Promise<string[]> {
  const files = await earlierDocuments(root);
  const written: string[] = [];
  for (const { path, text } of all) {
    if ((await files.read(path)) === text) continue;
    await writeFile(join(root, path), text);
    written.push(path);
  }
  return written;
}

/** Throws when a document is not what the contract says now; with `against`, only when a change breaks clients. */
export async function checkDocuments(documents: Documents, { against }: ContractOptions): Promise<string> {
  const earlier = await earlierDocuments(documents.root, against);
  const found = await changesSince(earlier, documents, systemClock.nowMs());
  const count = countOf(found, "breaking");
  if (against === undefined) {
    if (found.length > 0) throw new Error(stale(found, count));
    return "";
  }
  if (count > 0)
    throw new Error(
      `since ${earlier.name}, ${breaks(count)}.\n\n${describeChanges(found)}\n\n${wayOut} with --against ${against}.`,
    );
  return found.length === 0
    ? `Nothing changed since ${earlier.name}.\n`
    : `Since ${earlier.name}, nothing breaks clients.\n\n${describeChanges(found)}\n`;
}

function stale(found: readonly DocumentChanges[], count: number): string {
  const advice =
    count === 0
      ? "Run `ashlar contract write` and review the change; delete the files of a service that is gone."
      : `${count} of these would break clients. ${wayOut}.`;
  return `the files are not what the contracts say.\n\n${describeChanges(found)}\n\n${advice}`;
}

function breaks(count: number): string {
  return count === 1 ? "a change breaks clients" : `${count} changes break clients`;
}
