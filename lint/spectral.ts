// Spectral: every rule of its OpenAPI and AsyncAPI rulesets, and of the OWASP ruleset for APIs.

import core from "@stoplight/spectral-core";
import owasp from "@stoplight/spectral-owasp-ruleset";
import parsers from "@stoplight/spectral-parsers";
import rulesets from "@stoplight/spectral-rulesets";
import type { Finding, LintedDocument } from "./finding.ts";

const rules = {
  openapi: rulesetOf([rulesets.oas, owasp]),
  asyncapi: rulesetOf([rulesets.asyncapi]),
};

function rulesetOf(parts: readonly unknown[]) {
  return new core.Ruleset({ extends: parts.map((part) => [part, "all"]) });
}

export async function runSpectral({ name, kind, text }: LintedDocument): Promise<Finding[]> {
  const spectral = new core.Spectral();
  spectral.setRuleset(rules[kind]);
  const results = await spectral.run(new core.Document(text, parsers.Json, name));
  return results.map(({ code, path, message }) => ({
    document: name,
    place: path.join("."),
    rule: `spectral/${code}`,
    message,
  }));
}
