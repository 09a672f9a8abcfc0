// What a failure looks like outside: the envelope, or RFC 9457 problem details.
//
// Only a `Failure` speaks for itself. Anything else that was thrown, and a 500 in any case, says
// nothing but the request id under which the log has the cause.

import { STATUS_CODES } from "node:http";
import { errors, Failure } from "../contract/index.ts";
import type { Answer } from "./respond.ts";

export type ErrorFormat = "json" | "problem";

/** The answer to a request that failed. `error` may be anything that was thrown. */
export function errorAnswer(error: unknown, requestId: string, format: ErrorFormat = "json"): Answer {
  const failure = error instanceof Failure ? error : new Failure(errors.internal, "");
  return {
    status: failure.status,
    headers: {
      "content-type": format === "json" ? "application/json; charset=utf-8" : "application/problem+json",
      "cache-control": "no-store",
      ...failure.headers,
    },
    body: errorBody(failure, requestId, format),
  };
}

export function errorBody(failure: Failure, requestId: string, format: ErrorFormat = "json"): string {
  const { code, status } = failure;
  const hidden = status === 500;
  const message = hidden
    ? `Something unexpected happened. Request ${requestId} has the cause in the log.`
    : failure.message;
  const details = hidden ? [] : failure.details.map(({ field, message }) => ({ field, message }));
  if (format === "json") return JSON.stringify({ error: { code, message, details } });
  const title = STATUS_CODES[status] ?? code;
  return JSON.stringify({ type: "about:blank", title, status, detail: message, code, errors: details });
}
