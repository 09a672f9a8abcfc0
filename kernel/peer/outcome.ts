// How a call between processes ends: with a value, or with the failure that the other side threw.

import { errors, Failure, type Detail } from "../contract/index.ts";

export type Outcome = { readonly value?: unknown } | { readonly failure: SentFailure };

interface SentFailure {
  code: string;
  status: number;
  message: string;
  details: readonly Detail[];
  headers: Readonly<Record<string, string>>;
}

/** What travels: a failure without its cause, and of anything else that was thrown only that it was. */
export function outcomeOf(error: unknown): Outcome {
  const failure = error instanceof Failure ? error : new Failure(errors.internal, "Something unexpected happened");
  const { code, status, message, details, headers } = failure;
  return { failure: { code, status, message, details, headers } };
}

export function failureOf({ code, status, message, details, headers }: SentFailure): Failure {
  return new Failure({ code, status }, message, { details, headers });
}
