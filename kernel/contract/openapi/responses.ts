// The answers of an operation in the OpenAPI document: success, not modified, every refusal.

import { type Components, headersOf, jsonContent, type Reference } from "./components.ts";
import { errorsOf } from "./errors.ts";
import { commonHeaders, successHeaders } from "./headers.ts";
import { refusal, refusalBeforeRouting } from "./refusals.ts";
import type { AnyOperation } from "../operation.ts";
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
  const { status, method, secret, returns } = operation;
  const responses: Record<string, object> = {
    [status]: {
      description: status === 201 ? "Created" : status === 204 ? "Done; there is nothing to show" : "OK",
      headers: headersOf(successHeaders(operation, version), components),
      ...(success.schema && { content: jsonContent(success.schema, success.example) }),
    },
  };
  if (method === "GET" && returns !== undefined && !secret) responses[304] = notModified(components);
  for (const [refused, codes] of Map.groupBy(errorsOf(operation, version), (code) => code.status)) {
    responses[refused] = refusal(refused, codes, components);
  }
  return { ...responses, default: refusalBeforeRouting(components) };
}

function notModified({ responses, headers }: Components): Reference {
  return responses.refer("", ["NotModified"], {
    description: "The client's copy is still good",
    headers: headersOf([...commonHeaders, "API-Version", "ETag"], { headers }),
  });
}
