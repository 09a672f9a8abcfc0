// What a command says when it could not do what was asked.

/** A mistake on the command line that only the app could notice. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** For the person at the terminal: the message and the cause behind it; with LOG_LEVEL=debug, the stacks. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (process.env.LOG_LEVEL === "debug") return withCauses(error);
  if ((error as NodeJS.ErrnoException).code === "ENOSPC")
    return `The disk is full: make room, or set ASHLAR_DATA to a folder on another disk (${error.message})`;
  // A Failure is worded for clients, who must not learn the cause. Whoever runs this must.
  return error.name === "Failure" && error.cause instanceof Error
    ? `${error.message}: ${messageOf(error.cause)}`
    : messageOf(error);
}

/** Connecting to a name with several addresses fails with several errors and no message. */
function messageOf(error: Error): string {
  const [first] = error instanceof AggregateError ? error.errors : [];
  return error.message || (first instanceof Error ? first.message : error.name);
}

function withCauses(error: Error): string {
  const { stack, cause } = error;
  return cause instanceof Error ? `${stack}\nCaused by: ${withCauses(cause)}` : `${stack}`;
}
