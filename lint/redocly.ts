// Redocly's recommended rules, which know both kinds of documents.

import { createConfig, lintFromString } from "@redocly/openapi-core";
import type { Finding, LintedDocument } from "./finding.ts";

export async function runRedocly({ name, text }: LintedDocument): Promise<Finding[]> {
  const config = await createConfig({ extends: ["recommended"] });
  const problems = await lintFromString({ source: text, absoluteRef: `/${name}`, config });
  return problems.map(({ ruleId, message, location }) => ({
    document: name,
    place: placeOf(location[0]?.pointer),
    rule: `redocly/${ruleId}`,
    message,
  }));
}

/** `#/paths/~1v1~1orders` becomes `paths./v1/orders`. */
function placeOf(pointer = "#/"): string {
  const keys = pointer.slice(2).split("/");
  return keys.map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~")).join(".");
}
