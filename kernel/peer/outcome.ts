// How a call between processes ends: with a value, or with the failure that the other side threw.

import type { Logger } from "../base/index.ts";
import { errors, Failure, type Detail } from "../contract/index.ts";

export type Outcome = { readonly value?: unknown } | { readonly failure: SentFailure };

interface SentFailure {
  code: string;
  status: number;
  message: string;
  details: readonly Detail[];
  headers: Readonly<Record<string, string>>;
  hops: number;
}

export interface Work {
  /** What was done, for the log: `call catalog.reserveStock`. */
  use: string;
  requestId: string;
  log: Logger;
}

/**
 * What travels: a failure without its cause, and of anything else that was thrown only that it was. What does not
 * travel is logged, where it happened.
 */
export function outcomeOf(error: unknown, { use, requestId, log }: Work): { failure: SentFailure } {
  if (!(error instanceof Failure)) {
    log.error({ requestId, err: error }, `${use} failed`);
    return outcomeOf(new Failure(errors.internal, "Something unexpected happened"), { use, requestId, log });
  }
  const { code, status, message, details, headers, hops, cause } = error;
  // Whoever asked says what becomes of it; this is why.
  if (cause !== undefined && status >= 500) log.info({ requestId, code, reason: reasonOf(cause) }, `${use} failed`);
  return { failure: { code, status, message, details, headers, hops } };
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

export function failureOf({ code, status, message, details, headers, hops }: SentFailure): Failure {
  return new Failure({ code, status }, message, { details, headers, hops });
}

/** Whether this is how a call ends; something else may listen where a service should. */
export function isOutcome(sent: unknown): sent is Outcome {
  if (typeof sent !== "object" || sent === null || Array.isArray(sent)) return false;
  const { failure } = sent as { failure?: Partial<SentFailure> };
  if (failure === undefined) return Object.keys(sent).every((key) => key === "value");
  const { code, status, message, details, headers, hops } = failure;
  return (
    typeof code === "string" &&
    typeof status === "number" &&
    typeof message === "string" &&
    Array.isArray(details) &&
    typeof headers === "object" &&
    typeof hops === "number"
  );
}
