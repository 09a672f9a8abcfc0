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
  const { code, status, message, details, headers, cause } = error;
  if (cause !== undefined && status >= 500) log.warn({ requestId, err: error }, `${use} failed`);
  return { failure: { code, status, message, details, headers } };
}

export function failureOf({ code, status, message, details, headers }: SentFailure): Failure {
  return new Failure({ code, status }, message, { details, headers });
}
