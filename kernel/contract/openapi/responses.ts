// The answers of an operation in the OpenAPI document: success, not modified, every refusal.

import { type Components, headersOf, jsonContent, type Reference } from "./components.ts";
import { errorsOf } from "./errors.ts";
import { successHeaders } from "./headers.ts";
import { refusal, refusalBeforeRouting } from "./refusals.ts";
import type { AnyOperation } from "../operation.ts";
import { isPage } from "../bodies.ts";
import type { ApiVersion } from "../version.ts";

export interface Success {
  schema: Reference | undefined;
  example: unknown;
}

/** All answers of an operation, by status. */
export function responsesOf(
  operation: AnyOperation,
  version: ApiVersion,
  success: Success,
  components: Components,
): Record<string, object> {
  const { status, method, returns } = operation;
  const responses: Record<string, object> = {
    [status]: {
      description: status === 201 ? "Created" : status === 204 ? "Done; there is nothing to show" : "OK",
      headers: headersOf(successHeaders(operation, version), components),
      ...(success.schema && { content: jsonContent(success.schema, success.example) }),
    },
  };
  if (method === "GET" && returns !== undefined) responses[304] = notModified(operation, version, components);
  for (const [refused, codes] of Map.groupBy(errorsOf(operation, version), (code) => code.status)) {
    responses[refused] = refusal(refused, codes, components, version);
  }
  return { ...responses, default: refusalBeforeRouting(components) };
}

/** It has the headers of the answer it stands for. */
function notModified(operation: AnyOperation, version: ApiVersion, { responses, headers }: Components): Reference {
  const name = isPage(operation.returns) ? "PageNotModified" : "NotModified";
  return responses.refer("", [name, `${name}V${version.number}`], {
    description: "The client's copy is still good",
    headers: headersOf(successHeaders(operation, version), { headers }),
  });
}
