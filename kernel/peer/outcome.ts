// How a call between processes ends: with a value, or with the failure that the other side threw.

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

/** What travels: a failure without its cause, and of anything else that was thrown only that it was. */
export function outcomeOf(error: unknown): Outcome {
  const failure = error instanceof Failure ? error : new Failure(errors.internal, "Something unexpected happened");
  const { code, status, message, details, headers, hops } = failure;
  return { failure: { code, status, message, details, headers, hops } };
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
