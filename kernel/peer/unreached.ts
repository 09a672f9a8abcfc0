// What it means that a service of another process did not answer. Where it runs is nobody's business outside: the
// cause stays in the log.

import { errors, Failure } from "../contract/index.ts";

/** 503, or what the signal was aborted with; 502 where bytes came that are not HTTP. */
export function unreached(service: string, cause: unknown, signal: AbortSignal): Failure {
  if (signal.aborted && signal.reason instanceof Failure) return signal.reason;
  if (cause instanceof Error && cause.name === "HTTPParserError") return badGateway(service, cause);
  return new Failure(errors.unavailable, `Service ${service} is not reached`, {
    headers: { "retry-after": "1" },
    cause,
  });
}

export function badGateway(service: string, cause: unknown): Failure {
  return new Failure(errors.badGateway, `Service ${service} answered what is no answer`, { cause });
}

const connecting = new Set(["connect", "getaddrinfo"]);

/**
 * Whether what was sent certainly never arrived: there was no connection to send it on. Whoever it was for did nothing
 * of it, so it may be sent again, whatever it was. A connection that broke leaves that open.
 */
export function isUndelivered({ code, cause }: Failure): boolean {
  return code === errors.unavailable.code && isOfConnecting(cause);
}

function isOfConnecting(error: unknown): boolean {
  // A name with several addresses: each was tried.
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isOfConnecting);
  const { code, syscall } = (error ?? {}) as { code?: string; syscall?: string };
  return code === "UND_ERR_CONNECT_TIMEOUT" || connecting.has(String(syscall));
}
