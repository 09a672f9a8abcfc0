// The parser of the AsyncAPI project, which its tools stand on: what it does not take, none of them does.

import { Parser } from "@asyncapi/parser";
import type { Finding, LintedDocument } from "./finding.ts";

export async function runAsyncApiParser({ name, text }: LintedDocument): Promise<Finding[]> {
  const { document, diagnostics } = await new Parser().parse(text);
  const findings = diagnostics.map(({ code, path, message }) => ({
    document: name,
    place: path.join("."),
    rule: `asyncapi/${code}`,
    message,
  }));
  const isRead = document !== undefined || findings.length > 0;
  return isRead ? findings : [{ document: name, place: "", rule: "asyncapi/parse", message: "cannot be read" }];
}
