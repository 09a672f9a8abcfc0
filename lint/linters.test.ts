// Whether the linters find anything at all: a rule that is never applied passes every document.

import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { runAsyncApiParser } from "./asyncapi.ts";
import { compileClientTypes } from "./client-types.ts";
import { type Exception, withoutExceptions } from "./exceptions.ts";
import type { Finding, LintedDocument } from "./finding.ts";
import { runRedocly } from "./redocly.ts";
import { runSpectral } from "./spectral.ts";

const answer = (schema: object) => ({ description: "", content: { "application/json": { schema } } });

/** One operation without a name, a limit or an answer to mistakes. */
function openApi(schema: object = { type: "object", properties: { id: { type: "integer" } } }): LintedDocument {
  const paths = { "/v1/notes": { get: { responses: { 200: answer(schema) } } } };
  const text = JSON.stringify({ openapi: "3.1.0", info: { title: "Notes", version: "1" }, paths });
  return { name: "notes", kind: "openapi", text };
}

function asyncApi(operation: object): LintedDocument {
  const text = JSON.stringify({
    asyncapi: "3.0.0",
    info: { title: "Notes", version: "1" },
    channels: { written: { address: "written", messages: { written: { payload: { type: "object" } } } } },
    operations: { announce: operation },
  });
  return { name: "events", kind: "asyncapi", text };
}

const rules = (findings: readonly Finding[]) => new Set(findings.map(({ rule }) => rule));

test("Spectral applies its own rules and those of OWASP, and names the place", async () => {
  const findings = await runSpectral(openApi());
  for (const rule of ["spectral/operation-operationId", "spectral/owasp:api4:2023-rate-limit"])
    ok(rules(findings).has(rule), [...rules(findings)].join());
  const named = findings.find(({ rule }) => rule === "spectral/operation-operationId");
  deepEqual([named?.document, named?.place], ["notes", "paths./v1/notes.get"]);
});

test("Spectral applies the rules for AsyncAPI", async () => {
  const findings = await runSpectral(asyncApi({ action: "send", channel: { $ref: "#/channels/written" } }));
  ok(rules(findings).has("spectral/asyncapi-3-operation-description"), [...rules(findings)].join());
});

test("Redocly applies its recommended rules to both kinds, and names the place", async () => {
  const found = (await runRedocly(openApi())).find(({ rule }) => rule === "redocly/operation-4xx-response");
  equal(found?.place, "paths./v1/notes.get.responses");
  ok(rules(await runRedocly(asyncApi({ action: "shout" }))).has("redocly/struct"));
});

test("the parser of AsyncAPI refuses what is not AsyncAPI", async () => {
  const findings = await runAsyncApiParser(asyncApi({ action: "shout", channel: { $ref: "#/channels/nowhere" } }));
  ok(
    findings.some(({ place }) => place.startsWith("operations.announce")),
    JSON.stringify(findings),
  );
});

test("types of a document that says something compile, and those that say nothing are named", async () => {
  deepEqual(await compileClientTypes(openApi()), []);
  for (const schema of [{ type: "object" }, {}]) {
    const [found, ...others] = await compileClientTypes(openApi(schema));
    deepEqual([found?.place, others], ["paths./v1/notes.get.responses.200", []]);
  }
  const [empty] = await compileClientTypes({
    name: "empty",
    kind: "openapi",
    text: '{"openapi":"3.1.0","info":{"title":"","version":""},"paths":{}}',
  });
  equal(empty?.message, "there is no operation");
});

test("an exception covers its rule at its place, and one that covers nothing is named", () => {
  const at = (place: string): Finding => ({ document: "notes", place, rule: "spectral/limit", message: "" });
  const health: Exception = { rule: "spectral/limit", place: /^health/, reason: "" };
  const other: Exception = { rule: "spectral/tags", reason: "" };
  deepEqual(withoutExceptions([at("health"), at("orders")], [health, other]), {
    left: [at("orders")],
    unused: [other],
  });
});
