// The prose of the OpenAPI document: what holds everywhere, and what one operation has beside its shapes.

import { type Grant, neededScope } from "../access.ts";
import type { ErrorCode } from "../errors.ts";
import type { AnyOperation, Named } from "../operation.ts";
import type { ApiVersion } from "../version.ts";

/** The introduction: the conventions and the closed list of error codes. */
export function guide(description: string | undefined, codes: readonly ErrorCode[]): string {
  const rows = codes.map(
    ({ code, status, meaning }) => `| \`${code}\` | ${status} | ${meaning.replaceAll("|", "\\|")} |`,
  );
  return [
    ...(description === undefined ? [] : [description]),
    conventions,
    `## Errors\n\n${envelope}\n\n| code | status | meaning |\n| --- | --- | --- |\n${rows.join("\n")}`,
  ].join("\n\n");
}

const conventions = `## Conventions

**Versions.** \`/v1/...\`; or no version in the path and \`Accept: application/vnd.api+json;version=1\` (also \`application/json;version=1\`); or \`?version=1\`. Path wins over Accept over query; two that disagree are refused. Without any it is version 1. A leading \`/api\` is dropped.

**Methods.** \`HEAD\` answers as \`GET\` does, without the body. \`OPTIONS\` answers 204 with \`Allow\` and needs no credentials.

**Bodies.** JSON as in RFC 8259; unknown properties and unknown query parameters are refused, nothing is coerced. At most 1 MiB.

**Concurrency.** Answers have a strong \`ETag\`. Send it as \`If-Match\` with a change, or \`version\` in the body, and of several writers one wins. Send it as \`If-None-Match\` with a read and get 304 when nothing changed.

**Idempotency.** Send \`Idempotency-Key\` with a POST that creates, and a repeated request gets the first one's answer.

**Limits.** Answers say how much is left; after \`Retry-After\` seconds a request passes.

**Tracing.** \`traceparent\` (W3C Trace Context) is continued.`;

const envelope = `\`{"error": {"code", "message", "details": [{"field", "message"}]}}\`, or RFC 9457 problem details for \`Accept: application/problem+json\`. A code has one status everywhere.`;

/** Who may, what it announces and how it may be repeated. */
export function describe(operation: Named<AnyOperation>, version: ApiVersion): string {
  const { emits, repeatable, idempotent, limit } = operation;
  const types = emits.map(({ type }) => `\`${type}\``).join(", ");
  const sentences = [
    operation.description,
    `For ${operation.access
      .filter((grant) => grant !== "service")
      .map(named)
      .join(" or ")}.`,
    !operation.access.includes("anyone") &&
      (operation.personal ? "Not for API keys." : `An API key needs the scope \`${neededScope(operation)}\`.`),
    types !== "" && `Announces ${types}.`,
    idempotent ? "May be repeated with the same Idempotency-Key." : !repeatable && "Not to be repeated blindly.",
    limit.class !== "default" && `Has the limit \`${limit.class}\`.`,
    limit.cost !== undefined && limit.cost > 1 && `Counts as ${limit.cost} requests.`,
    version.deprecatedAt !== undefined &&
      `Deprecated since ${version.deprecatedAt}${version.sunsetAt === undefined ? "" : `, switched off on ${version.sunsetAt}`}.`,
  ];
  return sentences.filter((sentence) => typeof sentence === "string").join(" ");
}

function named(grant: Grant): string {
  if (typeof grant === "object")
    return "role" in grant ? `the role \`${grant.role}\`` : `the user that \`${grant.self}\` names`;
  return { anyone: "anyone", signedIn: "any user", owner: "the owner", service: "services" }[grant];
}
