// What kustomize makes of a folder, as `kubectl apply --kustomize` would send it.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Readonly<Record<string, string>> };
  [member: string]: unknown;
}

/** Throws what kubectl says when it cannot be rendered, or when there is no kubectl. */
export async function render(folder: string): Promise<Manifest[]> {
  const { stdout, stderr } = await promisify(execFile)("kubectl", ["kustomize", folder], { maxBuffer: 2 ** 26 });
  // A warning is of what a later version refuses.
  if (stderr.trim() !== "") throw new Error(stderr.trim());
  return parseManifests(stdout);
}

export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS() as Manifest;
  });
}

/** `Deployment orders` */
export function placeOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name}`;
}
