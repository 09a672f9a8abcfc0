// What is known of a request while it goes down the pipeline, and how it comes out at the end.

import type { IncomingMessage, ServerResponse } from "node:http";
import { type AccessClaims, type Caller, noteSecurityEvent, type SecurityEvent } from "../auth/index.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import { errors, Failure } from "../contract/index.ts";
import { type Answer, type Cors, errorAnswer, type Negotiated, traceOf, traceparentOf } from "../http/index.ts";
import type { Limiter } from "../limit/index.ts";
import type { RemoteRoute, Route, RouteTable } from "./routes.ts";

/** An address that no contract declares: health, documents, keys. Answered before versions and tokens. */
export interface FixedRoute {
  readonly answer: (request: IncomingMessage) => Promise<Answer> | Answer;
  /** Health must answer while everything else is refused. */
  readonly limited: boolean;
}

/** What the gateway says of a request that it hands on, when it was believed. */
export interface Forwarded {
  readonly address: string;
  /** The headers of the limit that was taken there. */
  readonly headers: Readonly<Record<string, string>>;
  readonly remainingMs: number;
}

/** Hands a request on to where its service runs, and its answer back. Resolves with the status. */
export type Forward = (exchange: Exchange) => Promise<{ forwarded: number }>;

export interface PipelineOptions {
  routes: RouteTable;
  fixed: ReadonlyMap<string, FixedRoute>;
  verify(token: string): Promise<AccessClaims> | AccessClaims;
  limiter: Limiter;
  cors: Cors;
  addressOf(message: IncomingMessage): string;
  /** Only where every request comes from the gateway, which took the limit: what it says of one, or a 401. */
  forwarded?(route: Route | RemoteRoute, message: IncomingMessage): Forwarded;
  clock: Clock;
  random: Random;
  log: Logger;
  maxBodyBytes: number;
  requestTimeoutMs: number;
  /** Validates every answer against its contract. For tests and development. */
  checkAnswers: boolean;
}

/** What is known of a request so far; grows as it goes down the pipeline. */
export interface Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  /** Made when it is asked for, as is the signal: an answer from the cache needs neither. */
  readonly traceparent: string;
  readonly gone: AbortSignal;
  address: string;
  /** When the whole must be answered, counted by the gateway too. */
  timeoutMs: number;
  readonly headers: Record<string, string>;
  accept: Negotiated;
  caller: Caller;
  secret: boolean;
}

export function openExchange(
  options: PipelineOptions,
  message: IncomingMessage,
  response: ServerResponse,
  id: string,
): Exchange {
  return new OpenExchange(options, message, response, id);
}

/**
 * A class for its two accessors, which are made for all exchanges at once: those of an object literal are
 * functions of its own, and give each object a hidden class of its own, which costs more than the rest of it.
 */
class OpenExchange implements Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  readonly headers: Record<string, string> = {};
  readonly #random: Random;
  #traceparent: string | undefined = undefined;
  #gone: AbortSignal | undefined = undefined;
  address: string;
  timeoutMs: number;
  accept: Negotiated = unread;
  caller: Caller;
  secret = false;

  constructor(
    { addressOf, requestTimeoutMs, random }: PipelineOptions,
    message: IncomingMessage,
    response: ServerResponse,
    id: string,
  ) {
    this.message = message;
    this.response = response;
    this.id = id;
    this.#random = random;
    this.address = addressOf(message);
    this.timeoutMs = requestTimeoutMs;
    this.caller = { kind: "nobody", address: this.address };
  }

  get traceparent(): string {
    return (this.#traceparent ??= traceparentOf(traceOf(this.message.headers, this.#random)));
  }

  get gone(): AbortSignal {
    return (this.#gone ??= whenGone(this.response));
  }
}

const unread: Negotiated = { errorFormat: "json", acceptable: true, version: undefined };

/** Aborts when the client goes away before its answer is out. */
function whenGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const onClose = () => {
    if (!response.writableFinished) gone.abort(new Failure(errors.unavailable, "The client went away"));
  };
  if (response.closed) onClose();
  else response.once("close", onClose);
  return gone.signal;
}

/** Outsiders get a code and a sentence; the log gets the cause. */
export function refusal(exchange: Exchange, log: Logger, error: unknown): Answer {
  const failure =
    error instanceof Failure ? error : new Failure(errors.internal, "Something unexpected happened", { cause: error });
  if (failure.status === errors.internal.status)
    log.error({ requestId: exchange.id, err: failure.cause ?? failure }, failure.message);
  else if (failure.status > errors.notImplemented.status)
    log.warn({ requestId: exchange.id, err: failure.cause ?? failure }, failure.message);
  noteRefusal(exchange, log, failure);
  return errorAnswer(failure, exchange.id, exchange.accept.errorFormat);
}

/** The refusals that a watcher counts. A 401 without a token is a visitor who did not sign in. */
function noteRefusal({ id, caller }: Exchange, log: Logger, { status, code, headers, cause }: Failure): void {
  const isOfToken = headers["www-authenticate"]?.includes("invalid_token") === true;
  const event = status === errors.unauthenticated.status && isOfToken ? "token_refused" : refusals.get(status);
  if (event === undefined) return;
  const reason = cause instanceof Error ? cause.message : cause;
  noteSecurityEvent(log, event, caller, { requestId: id, code, reason });
}

const refusals = new Map<number, SecurityEvent>([
  [errors.forbidden.status, "access_refused"],
  [errors.rateLimited.status, "limit_reached"],
]);

export function report(
  options: PipelineOptions,
  { message, id, caller }: Exchange,
  status: number,
  startedAtMs: number,
): void {
  const path = (message.url ?? "").split("?", 1)[0]!.slice(0, 200);
  const user = caller.kind === "user" ? { userId: caller.userId } : {};
  options.log.info(
    { requestId: id, method: message.method, path, status, durationMs: options.clock.nowMs() - startedAtMs, ...user },
    "request",
  );
}

/** Merges headers; those that are lists add up: `Vary`, and the `Link` to a successor with those of a page. */
export function mergedHeaders(...parts: readonly Answer["headers"][]): Answer["headers"] {
  const merged: Record<string, string | readonly string[]> = {};
  for (const headers of parts) {
    for (const name in headers) {
      const before = merged[name];
      const isAdded = before !== undefined && (name === "vary" || name === "link");
      merged[name] = isAdded ? [before, headers[name]!].flat().join(", ") : headers[name]!;
    }
  }
  return merged;
}
