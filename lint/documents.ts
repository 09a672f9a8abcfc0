// `npm run lint:documents`: what the linters of others say about our documents.
//
// The documents of each service as they are committed, and those of the whole store as the gateway serves
// them. Prints every finding with its document, place and rule, and ends with 1 when there is one.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { asyncApi, openApi } from "../kernel/contract/index.ts";
import store from "../store/main.ts";
import { runAsyncApiParser } from "./asyncapi.ts";
import { compileClientTypes } from "./client-types.ts";
import { exceptions, withoutExceptions } from "./exceptions.ts";
import type { Finding, LintedDocument } from "./finding.ts";
import { runRedocly } from "./redocly.ts";
import { runSpectral } from "./spectral.ts";

const { contracts, title, version } = store.definition;
const root = fileURLToPath(new URL("..", import.meta.url));

async function committedDocuments(): Promise<LintedDocument[]> {
  const names = contracts.flatMap(({ name }) => (["openapi", "asyncapi"] as const).map((kind) => ({ name, kind })));
  return Promise.all(
    names.map(async ({ name, kind }) => {
      const path = `store/services/${name}/${kind}.json`;
      return { name: path, kind, text: await readFile(`${root}${path}`, "utf8") };
    }),
  );
}

function servedDocuments(): LintedDocument[] {
  const info = { title, version };
  return [
    { name: "openapi.json of the store", kind: "openapi", text: JSON.stringify(openApi(contracts, info)) },
    { name: "asyncapi.json of the store", kind: "asyncapi", text: JSON.stringify(asyncApi(contracts, info)) },
  ];
}

async function lint(document: LintedDocument): Promise<Finding[]> {
  const own = document.kind === "openapi" ? compileClientTypes : runAsyncApiParser;
  return [...(await runSpectral(document)), ...(await runRedocly(document)), ...(await own(document))];
}

const documents = [...(await committedDocuments()), ...servedDocuments()];
const findings: Finding[] = [];
for (const document of documents) findings.push(...(await lint(document)));

const { left, unused } = withoutExceptions(findings, exceptions);
for (const { document, place, rule, message } of left) console.log(`${document}\n  ${place}\n  ${message} (${rule})`);
for (const { rule, place, reason } of unused)
  console.log(`lint/exceptions.ts\n  ${rule}${place === undefined ? "" : ` at ${place}`}\n  is not needed: ${reason}`);
console.log(`${documents.length} documents, ${left.length} findings, ${findings.length - left.length} excepted`);
process.exitCode = left.length + unused.length > 0 ? 1 : 0;
