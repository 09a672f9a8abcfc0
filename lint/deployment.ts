// `npm run lint:deploy`: whether the files in deploy/ are what Kubernetes, Docker and systemd take, and fit the store.
//
// It needs kubectl, which renders the overlays; systemd-analyze is asked where there is one. Ends with 1 on a finding.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checkCompose } from "./deployment/compose.ts";
import { checkDockerfile } from "./deployment/dockerfile.ts";
import { checkManifests } from "./deployment/kubernetes.ts";
import { render } from "./deployment/render.ts";
import { checkRules, checkScaling } from "./deployment/rules.ts";
import { checkUnits } from "./deployment/units.ts";
import type { Finding } from "./finding.ts";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const overlays = "deploy/kubernetes/overlays";

async function checkOverlay(name: string): Promise<Finding[]> {
  const folder = `${overlays}/${name}`;
  const manifests = await render(folder);
  console.log(`${folder}: ${manifests.length} manifests`);
  return [
    ...(await checkManifests(folder, manifests)),
    ...checkRules(folder, manifests),
    ...(name === "production" ? checkScaling(folder, manifests) : []),
  ];
}

const findings = [
  ...(await checkOverlay("small")),
  ...(await checkOverlay("production")),
  ...checkCompose("deploy/compose/compose.yaml", readFileSync("deploy/compose/compose.yaml", "utf8")),
  ...checkDockerfile("deploy/Dockerfile", readFileSync("deploy/Dockerfile", "utf8")),
  ...checkUnits("deploy/systemd"),
];
for (const { document, place, rule, message } of findings)
  console.log(`${document}\n  ${place}\n  ${message} (${rule})`);
console.log(`${findings.length} findings`);
process.exitCode = findings.length > 0 ? 1 : 0;
