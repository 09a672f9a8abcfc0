// `breaking-changes.json` beside the documents of a service: changes that break clients and are meant to,
// with the reason. Whoever reviews the change sees the file grow, and `contract check` lets pass what is
// in it. Entries may be deleted once nobody compares with the documents before them.

import { readFile, writeFile } from "node:fs/promises";
import type { Difference } from "../contract/index.ts";

export interface Accepted {
  reason: string;
  /** `openapi.json paths["/v1/notes"].get: is removed`. */
  changes: string[];
}

export const acceptedFile = "breaking-changes.json";

export async function readAccepted(path: string): Promise<Accepted[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "[]";
    throw error;
  });
  try {
    const entries = JSON.parse(text) as Accepted[];
    if (entries.every(({ reason, changes }) => typeof reason === "string" && Array.isArray(changes))) return entries;
  } catch {
    // Said below, as for JSON of another shape.
  }
  throw new Error(`${path} must be a list of { "reason", "changes" }.`);
}

export async function accept(path: string, reason: string, changes: readonly string[]): Promise<void> {
  const entries = [...(await readAccepted(path)), { reason, changes: [...changes] }];
  await writeFile(path, `${JSON.stringify(entries, null, 2)}\n`);
}

/** What an entry names: the document and everything said about the difference. */
export function nameOf(file: string, { place, says }: Difference): string {
  return `${file} ${place}: ${says}`;
}

export function reasonFor(accepted: readonly Accepted[], name: string): string | undefined {
  return accepted.find(({ changes }) => changes.includes(name))?.reason;
}
