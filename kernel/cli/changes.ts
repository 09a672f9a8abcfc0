// What changed in the documents of an app since an earlier state, and what of it breaks clients.

import { basename, dirname, join } from "node:path";
import { asyncApiDifferences, type Difference, openApiDifferences } from "../contract/index.ts";
import { acceptedFile, nameOf, readAccepted, reasonFor } from "./accepted-changes.ts";
import type { EarlierDocuments } from "./earlier-documents.ts";
import type { Documents } from "./documents.ts";

export type Verdict = "breaking" | "accepted" | "compatible";

export interface Change extends Difference {
  readonly verdict: Verdict;
  /** Why a breaking change is accepted. */
  readonly reason?: string;
}

export interface DocumentChanges {
  /** From the root of the app. */
  readonly path: string;
  readonly changes: readonly Change[];
  /** When there is nothing to list: why the document is another all the same. */
  readonly remark?: string;
}

/** The changes by document; documents that are the same to the byte are not in it. */
export async function changesSince(
  earlier: EarlierDocuments,
  documents: Documents,
  nowMs: number,
): Promise<DocumentChanges[]> {
  const known = new Map(documents.all.map((document) => [document.path, document]));
  const paths = [...new Set([...known.keys(), ...(await earlier.list(documents.services))])];
  const found: DocumentChanges[] = [];
  for (const path of paths) {
    const before = await earlier.read(path);
    const after = known.get(path)?.text;
    if (before !== after) found.push(await documentChanges(documents.root, path, before, after, nowMs));
  }
  return found;
}

async function documentChanges(
  root: string,
  path: string,
  before: string | undefined,
  after: string | undefined,
  nowMs: number,
): Promise<DocumentChanges> {
  if (before === undefined) return { path, changes: [], remark: "was not there" };
  const earlier = parse(before);
  if (earlier === undefined) return { path, changes: [], remark: "was not JSON, so what changed is not known" };
  const differences = differencesOf(path, earlier, after === undefined ? emptied(earlier) : JSON.parse(after), nowMs);
  const accepted = await readAccepted(join(root, dirname(path), acceptedFile));
  const changes = differences.map((difference): Change => {
    const reason = reasonFor(accepted, nameOf(basename(path), difference));
    if (!difference.breaking) return { ...difference, verdict: "compatible" };
    return reason === undefined
      ? { ...difference, verdict: "breaking" }
      : { ...difference, verdict: "accepted", reason };
  });
  const remark = after === undefined ? "is of no service any more" : "means the same and is written differently";
  return { path, changes, ...(after === undefined || changes.length === 0 ? { remark } : {}) };
}

type Json = Record<string, unknown>;

function differencesOf(path: string, before: Json, after: Json, nowMs: number): Difference[] {
  return basename(path) === "openapi.json"
    ? openApiDifferences(before, after, nowMs)
    : asyncApiDifferences(before, after, nowMs);
}

/** The document of a service that is gone: the same, with nothing in it. */
function emptied(document: Json): Json {
  return { ...document, paths: {}, channels: {}, operations: {} };
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

const compatibleMax = 20;

/** For a person: the breaking ones all, of the others as many as can be read. */
export function describeChanges(found: readonly DocumentChanges[]): string {
  return found
    .map(({ path, changes, remark }) => {
      const of = (verdict: Verdict) => changes.filter((one) => one.verdict === verdict);
      const compatible = of("compatible");
      const more = compatible.length - compatibleMax;
      return [
        remark === undefined ? `${path}:` : `${path} ${remark}`,
        ...[...of("breaking"), ...of("accepted"), ...compatible.slice(0, compatibleMax)].map(line),
        ...(more > 0 ? [`  and ${more} more compatible ones`] : []),
      ].join("\n");
    })
    .join("\n");
}

function line({ verdict, place, says, reason }: Change): string {
  return `  ${verdict.padEnd("compatible".length)}  ${place}: ${says}${reason === undefined ? "" : ` (${reason})`}`;
}

export function countOf(found: readonly DocumentChanges[], verdict: Verdict): number {
  return found.flatMap(({ changes }) => changes).filter((one) => one.verdict === verdict).length;
}
