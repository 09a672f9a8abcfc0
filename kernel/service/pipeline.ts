// The way of a request, top-down in one function: `answer`.
//
// The order of the checks is part of the contract with clients: route, limit, 401, 403/404, 412/428,
// 415, 413, 400, 422, 409. Two things have to wait until a body was read: whether a PUT or PATCH without
// If-Match names its version, and whether the PATCH of a deleted row restores it. Each step either lets the request go on or throws a Failure; one
// place turns a Failure into bytes.

import type { IncomingMessage, ServerResponse } from "node:http";
import { type AccessClaims, bearerToken, userOf } from "../auth/index.ts";
import { lazyChild } from "../base/index.ts";
import { createDeadline, type Deadline } from "../call/index.ts";
import { errors, Failure, filledTag } from "../contract/index.ts";
import {
  type Answer,
  finalTag,
  matchesWeak,
  negotiate,
  notModified,
  parseTarget,
  send,
  singleHeader,
} from "../http/index.ts";
import { authorize, authorizeScope } from "./authorize.ts";
import { type Compute, readCached } from "./cached-reads.ts";
import { type CallFacts, createContext } from "./context.ts";
import { decodeBody } from "./decode-body.ts";
import { isDeleted } from "./decode-change.ts";
import { checkParams, decodeQuery } from "./decode-query.ts";
import { type Encoding, encodeResult } from "./encode.ts";
import {
  type Exchange,
  type FixedRoute,
  type Forwarded,
  mergedHeaders,
  openExchange,
  type PipelineOptions,
  refusal,
  report,
} from "./exchange.ts";
import { findRoute } from "./find-route.ts";
import { findCurrent, findRow, scopeOf } from "./find-row.ts";
import { checkExpected, preconditionRequired, readIfMatch } from "./preconditions.ts";
import type { Route } from "./routes.ts";
import { runOnce } from "./run-once.ts";
import { withoutApi } from "./versions.ts";
import { takeAccountLimit, takeLimit } from "./take-limits.ts";

export type Pipeline = (message: IncomingMessage, response: ServerResponse, requestId: string) => Promise<void>;

export function createPipeline(options: PipelineOptions): Pipeline {
  const running = new Set<string>();
  return async (message, response, requestId) => {
    const startedAtMs = options.clock.nowMs();
    const exchange = openExchange(options, message, response, requestId);
    let result: Answer | { forwarded: number };
    try {
      result = await answer(options, exchange, running);
    } catch (error) {
      result = refusal(exchange, options.log, error);
    }
    if ("forwarded" in result) return report(options, exchange, result.forwarded, startedAtMs);
    const headers = mergedHeaders(options.cors.headers(message), exchange.headers, result.headers);
    await send(message, response, { ...result, headers }, { requestId, compress: !exchange.secret });
    report(options, exchange, result.status, startedAtMs);
  };
}

async function answer(
  options: PipelineOptions,
  exchange: Exchange,
  running: Set<string>,
): Promise<Answer | { forwarded: number }> {
  const { message } = exchange;
  exchange.accept = negotiate(message.headers.accept);
  const target = parseTarget(message.url ?? "/");
  const fixed = options.fixed.get(withoutApi(target.rawPath));
  if (fixed !== undefined) return answerFixed(options, exchange, fixed);

  const found = findRoute(options, exchange, target);
  if ("status" in found) return found;
  const { operation } = found.route;
  exchange.secret = operation.secret;
  exchange.timeoutMs = Math.min(exchange.timeoutMs, operation.timeoutMs ?? exchange.timeoutMs);
  const forwarded = options.forwarded?.(found.route, message);
  if (forwarded !== undefined) takeOver(exchange, forwarded);

  const identity = await identify(options, exchange);
  if (forwarded === undefined) await takeLimit(options, exchange, operation.limit);
  if ("refused" in identity) throw identity.refused;
  if (!("versioned" in found)) return found.route.service.forward(exchange);
  const { route, versioned, params, path } = found;

  authorizeScope(operation, exchange.caller);
  const reach = authorize(operation.access, exchange.caller, params);
  checkParams(operation, params);
  const scope = scopeOf(route, params, exchange.caller, reach);
  const current = await findCurrent(route, params, scope, exchange.caller);

  const ifMatch = current && readIfMatch(message.headers["if-match"]);
  if (current !== undefined && !isDeleted(current)) checkExpected({ ifMatch }, current.version);
  if (operation.action === "remove" && operation.resource!.spec.precondition === "required" && ifMatch === undefined)
    throw preconditionRequired();

  const { body, sent, ...changing } = await decodeBody(route, versioned, {
    message,
    maxBytes: options.maxBodyBytes,
    caller: exchange.caller,
    current,
    ifMatch,
  });
  const { query, list, ...shown } = await decodeQuery(
    route,
    versioned,
    target.query,
    exchange.caller,
    (includeDeleted) => findRow(route, params, scope, includeDeleted),
  );
  const { account } = operation.limit;
  if (account !== undefined) await takeAccountLimit(options, exchange, operation.limit, account, body);

  const encoding: Encoding = {
    route,
    versioned,
    ...shown,
    list,
    path: target.rawPath,
    query: target.query,
    checkAnswers: options.checkAnswers,
  };
  const input = { params, query, body, list, scope, includeDeleted: shown.includeDeleted, ...changing };
  const run = (facts: Pick<CallFacts, "idempotent">) =>
    handle(options, exchange, route, input, { caller: exchange.caller, ...facts });
  /** Others may wait for its result: it goes on when this client has gone, and has all the time that a request has. */
  const compute: Compute = (caller, asked) =>
    handle(
      options,
      exchange,
      route,
      { ...input, ...asked },
      { caller },
      createDeadline(options.clock, options.requestTimeoutMs),
    );
  const key = operation.idempotent ? singleHeader(message, "idempotency-key") : undefined;
  const result =
    key !== undefined
      ? await runOnce(options, exchange, route, { key, path, sent, encoding, running, run })
      : operation.cache
        ? await readCached(encoding, exchange.caller, input, compute)
        : encodeResult(encoding, await run({}));
  const shownAnswer = conditional(exchange, result);
  exchange.headers["cache-control"] = cacheControl(encoding, message.method!, result);
  return shownAnswer;
}

/** Calls the handler, within the time that a request has and while its client waits. */
function handle(
  options: PipelineOptions,
  exchange: Exchange,
  route: Route,
  input: object & { params: Record<string, string> },
  facts: Pick<CallFacts, "caller" | "idempotent">,
  deadline: Deadline = createDeadline(options.clock, exchange.timeoutMs, exchange.gone),
): Promise<unknown> {
  const context = createContext(route.service.parts, {
    userAgent: exchange.message.headers["user-agent"],
    requestId: exchange.id,
    traceparent: exchange.traceparent,
    deadline,
    log: lazyChild(options.log, { requestId: exchange.id }),
    invalidates: route.operation.invalidates.map((tag) => filledTag(tag, input.params)),
    ...facts,
  });
  return route
    .handler(context, input)
    .catch((error: unknown) => refuseUndeclared(options, route, error))
    .finally(() => deadline.end());
}

/** What the gateway saw is what counts: the connection is its own, and the limit was taken there. */
function takeOver(exchange: Exchange, { address, headers, remainingMs }: Forwarded): void {
  exchange.address = address;
  exchange.caller = { kind: "nobody", address };
  exchange.timeoutMs = Math.min(exchange.timeoutMs, remainingMs);
  Object.assign(exchange.headers, headers);
}

/** Who asks. A bad token is remembered, not thrown: the limit comes first, counted on the address. */
function identify(options: PipelineOptions, exchange: Exchange): Identity | Promise<Identity> {
  try {
    // Sent twice it was refused as HTTP. `headersDistinct` would sort all headers again to say so.
    const token = bearerToken(exchange.message.headers.authorization);
    if (token === undefined) return identified;
    const verified = options.verify(token);
    if (verified instanceof Promise)
      return verified.then(
        (claims) => signedIn(exchange, claims),
        (refused: unknown) => ({ refused }),
      );
    return signedIn(exchange, verified);
  } catch (refused) {
    return { refused };
  }
}

type Identity = { refused: unknown } | { ok: true };
const identified: Identity = { ok: true };

function signedIn(exchange: Exchange, claims: AccessClaims): Identity {
  exchange.caller = userOf(claims, exchange.address);
  return identified;
}

async function answerFixed(options: PipelineOptions, exchange: Exchange, fixed: FixedRoute): Promise<Answer> {
  const { method } = exchange.message;
  if (method === "OPTIONS") return { status: 204, headers: { allow: "GET, HEAD, OPTIONS" } };
  if (method !== "GET" && method !== "HEAD")
    throw new Failure(errors.methodNotAllowed, "This address can only be read", {
      headers: { allow: "GET, HEAD, OPTIONS" },
    });
  if (fixed.limited) await takeLimit(options, exchange, { class: "default" });
  return fixed.answer(exchange.message);
}

/** A handler that refuses with a code its contract does not declare has a bug, which a test must see. */
function refuseUndeclared({ checkAnswers }: PipelineOptions, { operation, errorCodes }: Route, error: unknown): never {
  if (checkAnswers && error instanceof Failure && !errorCodes.has(error.code)) {
    throw new Error(
      `Operation ${operation.name} answered ${error.code}, which its contract does not declare. Add it to "errors".`,
      { cause: error },
    );
  }
  throw error;
}

function cacheControl({ route: { operation }, includeDeleted }: Encoding, method: string, { status }: Answer): string {
  if (operation.secret || (method !== "GET" && method !== "HEAD") || status >= 300) return "no-store";
  const forAnyone = operation.access.includes("anyone") && !includeDeleted;
  return forAnyone ? "public, no-cache" : "private, no-cache";
}

/** 304 when the client's copy is the very bytes it would get, encoding included. */
function conditional({ message, id, secret }: Exchange, result: Answer): Answer {
  const header = message.headers["if-none-match"];
  if (header === undefined || (message.method !== "GET" && message.method !== "HEAD")) return result;
  const tag = finalTag(message, result, { requestId: id, compress: !secret });
  return tag !== undefined && matchesWeak(header, [tag]) ? notModified(result, tag) : result;
}
