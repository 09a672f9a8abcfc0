// Whether manifests are what Kubernetes takes: by its own OpenAPI schemas, and strictly.
//
// `kubernetes-models` carries them twice: as validators, which know what is required and of which format, and as types. A field
// that there is not (a misspelt one, or one in the wrong place) only the types refuse: as literals the manifests are compiled.

import { fileURLToPath } from "node:url";
import { diagnose } from "../diagnose.ts";
import type { Finding } from "../finding.ts";
import { type Manifest, placeOf } from "./render.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

export async function checkManifests(document: string, manifests: readonly Manifest[]): Promise<Finding[]> {
  const found = await Promise.all(manifests.map((manifest) => checkValues(document, manifest)));
  return [...found.flat(), ...checkFields(document, manifests)];
}

function moduleOf({ apiVersion, kind }: Manifest): string {
  return `kubernetes-models/${apiVersion}/${kind}`;
}

async function checkValues(document: string, manifest: Manifest): Promise<Finding[]> {
  const finding = (message: string) => ({ document, place: placeOf(manifest), rule: "kubernetes", message });
  try {
    const models = (await import(moduleOf(manifest))) as Record<string, new (data: Manifest) => { validate(): void }>;
    new models[manifest.kind]!(manifest).validate();
    return [];
  } catch (error) {
    return [finding((error as Error).message)];
  }
}

function checkFields(document: string, manifests: readonly Manifest[]): Finding[] {
  const files = new Map(
    manifests.map((manifest, index) => [
      `${here}${index}.ts`,
      `import type { I${manifest.kind} } from "${moduleOf(manifest)}";
export const manifest: I${manifest.kind} = ${JSON.stringify(manifest, null, 1)};`,
    ]),
  );
  // Its own declarations do not stand up to the strictest options; what is checked here is ours.
  return diagnose(files, { skipLibCheck: true }).map(({ file, message }) => {
    const manifest = manifests[Number(/(\d+)\.ts$/.exec(file)?.[1])];
    return { document, place: manifest === undefined ? file : placeOf(manifest), rule: "kubernetes", message };
  });
}
