// The way of a request, top-down in one function: `answer`.
//
// The order of the checks is part of the contract with clients (API.md, "Order of checks"): route,
// limit, 401, 403/404, 412/428, 415, 413, 400, 422, 409. Each step either lets the request go on or
// throws a Failure; one place turns a Failure into bytes.

import type { IncomingMessage, ServerResponse } from "node:http";
import { type AccessClaims, bearerToken, type Caller, userOf } from "../auth/index.ts";
import { createDeadline } from "../call/index.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import { errors, Failure, type Method, notFound } from "../contract/index.ts";
import {
  type Answer,
  bucketAddress,
  type Cors,
  errorAnswer,
  finalTag,
  invalidHeader,
  matchesWeak,
  negotiate,
  type Negotiated,
  notModified,
  parseTarget,
  send,
  singleHeader,
  type Target,
  traceOf,
  traceparentOf,
} from "../http/index.ts";
import { type Decision, limitHeaders, type Limiter } from "../limit/index.ts";
import { authorize } from "./authorize.ts";
import { createContext } from "./context.ts";
import { checkParams, decodeBody, decodeQuery } from "./decode.ts";
import { type Encoding, encodeResult } from "./encode.ts";
import { AlreadyRecorded, createIdempotentRun, findRecord, idempotentRequest, inProgress, readIdempotencyKey } from "./idempotency.ts";
import { checkExpected, preconditionRequired, readIfMatch } from "./preconditions.ts";
import type { Route, RouteTable } from "./routes.ts";
import { allMethods } from "./routes.ts";
import { scopeOfPath } from "./rows.ts";
import { chooseVersion, deprecationHeaders, splitPath } from "./versions.ts";

/** An address that no contract declares: health, documents, keys. Answered before versions and tokens. */
export interface FixedRoute {
  readonly answer: (request: IncomingMessage) => Promise<Answer> | Answer;
  /** Health must answer while everything else is refused. */
  readonly limited: boolean;
}

export interface PipelineOptions {
  routes: RouteTable;
  fixed: ReadonlyMap<string, FixedRoute>;
  verify(token: string): Promise<AccessClaims>;
  limiter: Limiter;
  cors: Cors;
  addressOf(message: IncomingMessage): string;
  clock: Clock;
  random: Random;
  log: Logger;
  maxBodyBytes: number;
  requestTimeoutMs: number;
  /** Validates every answer against its contract. For tests and development. */
  checkAnswers: boolean;
}

/** What is known of a request so far; grows as it goes down the pipeline. */
interface Exchange {
  readonly message: IncomingMessage;
  readonly id: string;
  readonly traceparent: string;
  readonly address: string;
  readonly gone: AbortSignal;
  readonly headers: Record<string, string>;
  accept: Negotiated;
  caller: Caller;
  secret: boolean;
}

export type Pipeline = (message: IncomingMessage, response: ServerResponse, requestId: string) => Promise<void>;

export function createPipeline(options: PipelineOptions): Pipeline {
  const running = new Set<string>();
  return async (message, response, requestId) => {
    const startedAtMs = options.clock.nowMs();
    const exchange = open(options, message, response, requestId);
    let result: Answer;
    try {
      result = await answer(options, exchange, running);
    } catch (error) {
      result = refusal(exchange, options.log, error);
    }
    const headers = merged(options.cors.headers(message), exchange.headers, result.headers);
    await send(message, response, { ...result, headers }, { requestId, compress: !exchange.secret });
    report(options, exchange, result.status, startedAtMs);
  };
}

/** Merges headers; those that are lists add up: `Vary`, and the `Link` to a successor with those of a page. */
function merged(...parts: readonly Answer["headers"][]): Answer["headers"] {
  const result: Record<string, string | readonly string[]> = Object.assign({}, ...parts);
  for (const name of ["vary", "link"]) {
    const lists = parts.flatMap((headers) => headers[name] ?? []);
    if (lists.length > 1) result[name] = lists.join(", ");
  }
  return result;
}

async function answer(options: PipelineOptions, exchange: Exchange, running: Set<string>): Promise<Answer> {
  const { message } = exchange;
  exchange.accept = negotiate(message.headers.accept);
  const target = parseTarget(message.url ?? "/");
  const fixed = options.fixed.get(target.rawPath);
  if (fixed !== undefined) return answerFixed(options, exchange, fixed);

  const { route, versioned, params, path } = findRoute(options, exchange, target) ?? {};
  if (route === undefined || versioned === undefined || params === undefined) return answerOptions(options, message, target);
  const { operation, service } = route;
  exchange.secret = operation.secret;

  const identity = await identify(options, exchange);
  await takeLimit(options, exchange, operation.limit.class);
  if ("refused" in identity) throw identity.refused;

  const reach = authorize(operation.access, exchange.caller, params);
  checkParams(operation, params);
  const scope = scopeOf(route, params, exchange.caller, reach);
  const current = await findCurrent(route, params, scope);

  const ifMatch = current && readIfMatch(message.headers["if-match"]);
  if (current !== undefined) checkExpected({ ifMatch }, Number(current.version));
  if (operation.action === "remove" && operation.resource!.spec.precondition === "required" && ifMatch === undefined) throw preconditionRequired();

  const { body, sent, expected, change } = await decodeBody(route, versioned, { message, maxBytes: options.maxBodyBytes, caller: exchange.caller, current, ifMatch });
  const { query, list, fields } = await decodeQuery(route, versioned, target.query, () => findRow(route, params, scope));
  await takeAccountLimit(options, exchange, route, body);

  const encoding: Encoding = { route, versioned, fields, list, path: target.rawPath, query: target.query, checkAnswers: options.checkAnswers };
  const input = { params, query, body, list, scope, expected, change };
  const run = (facts: Pick<Parameters<typeof createContext>[1], "idempotent">) => {
    const deadline = createDeadline(options.clock, options.requestTimeoutMs, exchange.gone);
    const context = createContext(service.parts, { caller: exchange.caller, userAgent: message.headers["user-agent"], requestId: exchange.id, traceparent: exchange.traceparent, deadline, log: options.log.child({ requestId: exchange.id }), ...facts });
    return route
      .handler(context, input)
      .catch((error: unknown) => refuseUndeclared(options, route, error))
      .finally(() => deadline.end());
  };

  const key = operation.idempotent ? singleHeader(message, "idempotency-key") : undefined;
  const result = key === undefined ? encodeResult(encoding, await run({})) : await runOnce(options, exchange, route, { key, path: path!, sent, encoding, running, run });
  return conditional(exchange, { ...result, headers: { ...cacheHeaders(route, message.method!, result), ...result.headers } });
}

function open(options: PipelineOptions, message: IncomingMessage, response: ServerResponse, id: string): Exchange {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort(new Failure(errors.unavailable, "The client went away"));
  });
  const address = options.addressOf(message);
  return {
    message,
    id,
    traceparent: traceparentOf(traceOf(message.headers, options.random)),
    address,
    gone: gone.signal,
    headers: {},
    accept: { errorFormat: "json", acceptable: true, version: undefined },
    caller: { kind: "nobody", address },
    secret: false,
  };
}

/** 404, 405 and the version; undefined for OPTIONS, which needs no credentials. */
function findRoute(options: PipelineOptions, exchange: Exchange, target: Target) {
  const { inPath, path } = splitPath(target.rawPath);
  const { methods, params } = options.routes.match(path);
  if (methods.size === 0) throw notFound("There is nothing at this address");
  const version = chooseVersion(options.routes.versions, { inPath, inAccept: exchange.accept.version, inQuery: target.query.get("version") }, options.clock.nowMs());
  const successor = options.routes.versions.at(-1)!.number;
  Object.assign(exchange.headers, { "api-version": String(version.number), vary: "Accept" }, deprecationHeaders(version, `/v${successor}${path}`));
  if (exchange.message.method === "OPTIONS") return undefined;
  if (!exchange.accept.acceptable) throw new Failure(errors.notAcceptable, "Answers are application/json");
  const method = (exchange.message.method === "HEAD" ? "GET" : exchange.message.method) as Method;
  const route = methods.get(method);
  if (route === undefined) {
    throw new Failure(errors.methodNotAllowed, "This resource does not have this method", { headers: { allow: allowed([...methods.keys()]) } });
  }
  const versioned = route.versions.get(version.number);
  if (versioned === undefined) throw notFound("There is nothing at this address in this version");
  return { route, versioned, params, path: `/v${version.number}${path}` };
}

function answerOptions(options: PipelineOptions, message: IncomingMessage, target: Target): Answer {
  const { methods } = options.routes.match(splitPath(target.rawPath).path);
  const patchTypes: Record<string, string> = methods.has("PATCH") ? { "accept-patch": "application/json, application/merge-patch+json" } : {};
  return { status: 204, headers: { allow: allowed([...methods.keys()]), ...patchTypes, ...options.cors.preflight(message, [...methods.keys()]) } };
}

function allowed(methods: readonly Method[]): string {
  const offered = allMethods.filter((method) => methods.includes(method));
  return [...(methods.includes("GET") ? ["GET", "HEAD"] : []), ...offered.filter((method) => method !== "GET"), "OPTIONS"].join(", ");
}

async function answerFixed(options: PipelineOptions, exchange: Exchange, fixed: FixedRoute): Promise<Answer> {
  const { method } = exchange.message;
  if (method === "OPTIONS") return { status: 204, headers: { allow: "GET, HEAD, OPTIONS" } };
  if (method !== "GET" && method !== "HEAD") throw new Failure(errors.methodNotAllowed, "This address can only be read", { headers: { allow: "GET, HEAD, OPTIONS" } });
  if (fixed.limited) await takeLimit(options, exchange, "default");
  return fixed.answer(exchange.message);
}

/** Who asks. A bad token is remembered, not thrown: the limit comes first, counted on the address. */
async function identify(options: PipelineOptions, exchange: Exchange): Promise<{ refused: unknown } | { ok: true }> {
  try {
    const token = bearerToken(exchange.message.headersDistinct.authorization);
    if (token !== undefined) exchange.caller = userOf(await options.verify(token), exchange.address);
    return { ok: true };
  } catch (refused) {
    return { refused };
  }
}

async function takeLimit(options: PipelineOptions, exchange: Exchange, declared: string): Promise<void> {
  const { caller } = exchange;
  const className = declared === "default" && caller.kind === "nobody" ? "anonymous" : declared;
  const key = caller.kind === "user" && declared === "default" ? caller.userId : bucketAddress(exchange.address);
  applyDecision(options, exchange, className, await options.limiter.take(className, key));
}

/** A second bucket for the account that a request is about, so that many addresses cannot share out one account. */
async function takeAccountLimit(options: PipelineOptions, exchange: Exchange, { operation }: Route, body: unknown): Promise<void> {
  const { class: className, account } = operation.limit;
  if (account === undefined) return;
  const name = String((body as Record<string, unknown>)[account]).normalize("NFKC").toLowerCase();
  const decision = await options.limiter.take(className, `account:${name}`);
  if (decision?.allowed === false) applyDecision(options, exchange, className, decision);
}

function applyDecision(options: PipelineOptions, exchange: Exchange, className: string, decision: Decision | undefined): void {
  if (decision === undefined) return;
  Object.assign(exchange.headers, limitHeaders([{ name: className, decision }], options.clock.nowMs()));
  if (!decision.allowed) throw new Failure(errors.rateLimited, "Too many requests");
}

/** The rows a caller may reach, as equalities: those of the address and, for owners, their own. */
function scopeOf({ operation }: Route, params: Record<string, string>, caller: Caller, reach: "all" | "own"): Record<string, unknown> {
  if (operation.resource === undefined) return {};
  const scope = scopeOfPath(operation.resource, params);
  if (reach === "all" || caller.kind !== "user") return scope;
  const owner = String(operation.resource.spec.owner);
  // At the address of somebody else there is nothing to own.
  if (owner in scope && scope[owner] !== caller.userId) throw notFound();
  return { ...scope, [owner]: caller.userId };
}

/** Writes on an item look for it first: 404 comes before every complaint about the request itself. */
async function findCurrent(route: Route, params: Record<string, string>, scope: Record<string, unknown>) {
  const { action } = route.operation;
  return action === "replace" || action === "update" || action === "remove" ? findRow(route, params, scope) : undefined;
}

async function findRow({ operation, service }: Route, params: Record<string, string>, scope: Record<string, unknown>) {
  const row = await service.parts.tables.get(operation.resource!.name)!.get(service.parts.database, params.id!, { scope });
  if (row === undefined) throw notFound();
  return row;
}

/** A handler that refuses with a code its contract does not declare has a bug, which a test must see. */
function refuseUndeclared({ checkAnswers }: PipelineOptions, { operation, errorCodes }: Route, error: unknown): never {
  if (checkAnswers && error instanceof Failure && !errorCodes.has(error.code)) {
    throw new Error(`Operation ${operation.name} answered ${error.code}, which its contract does not declare. Add it to "errors".`, { cause: error });
  }
  throw error;
}

interface OnceOptions {
  key: string;
  path: string;
  sent: unknown;
  encoding: Encoding;
  running: Set<string>;
  run: (facts: { idempotent: ReturnType<typeof createIdempotentRun> }) => Promise<unknown>;
}

/** Runs an operation under an Idempotency-Key, or replays what its first run answered. */
async function runOnce(options: PipelineOptions, exchange: Exchange, { service }: Route, once: OnceOptions): Promise<Answer> {
  const key = readIdempotencyKey(once.key);
  if (key === undefined) throw invalidHeader("idempotency-key", "must be 1 to 255 visible ASCII characters");
  const request = idempotentRequest(callerKey(exchange.caller), exchange.message.method!, once.path, key, once.sent);
  const { database } = service.parts;
  const name = request.scope.toString("base64");
  if (once.running.has(name)) throw inProgress();
  once.running.add(name);
  try {
    const recorded = await findRecord(database, request, options.clock);
    if (recorded !== undefined) return recorded;
    const idempotent = createIdempotentRun(request, (result) => encodeResult(once.encoding, result), options.clock);
    return idempotent.answerFor(await once.run({ idempotent }));
  } catch (error) {
    const recorded = error instanceof AlreadyRecorded ? await findRecord(database, request, options.clock) : undefined;
    if (recorded === undefined) throw error;
    return recorded;
  } finally {
    once.running.delete(name);
  }
}

function callerKey(caller: Caller): string {
  return caller.kind === "user" ? caller.userId : caller.kind === "nobody" ? `address ${caller.address}` : `service ${caller.name}`;
}

function cacheHeaders({ operation }: Route, method: string, result: Answer): Record<string, string> {
  if (operation.secret || (method !== "GET" && method !== "HEAD") || result.status >= 300) return { "cache-control": "no-store" };
  return { "cache-control": operation.access.includes("anyone") ? "public, no-cache" : "private, no-cache" };
}

/** 304 when the client's copy is the very bytes it would get, encoding included. */
function conditional({ message, id, secret }: Exchange, result: Answer): Answer {
  const header = message.headers["if-none-match"];
  if (header === undefined || (message.method !== "GET" && message.method !== "HEAD")) return result;
  const tag = finalTag(message, result, { requestId: id, compress: !secret });
  return tag !== undefined && matchesWeak(header, [tag]) ? notModified(result, tag) : result;
}

/** Outsiders get a code and a sentence; the log gets the cause. */
function refusal(exchange: Exchange, log: Logger, error: unknown): Answer {
  const failure = error instanceof Failure ? error : new Failure(errors.internal, "Something unexpected happened", { cause: error });
  if (failure.status >= 500) log.error({ requestId: exchange.id, err: failure.cause ?? failure }, failure.message);
  return errorAnswer(failure, exchange.id, exchange.accept.errorFormat);
}

function report(options: PipelineOptions, { message, id, caller }: Exchange, status: number, startedAtMs: number): void {
  const path = (message.url ?? "").split("?", 1)[0]!.slice(0, 200);
  const user = caller.kind === "user" ? { userId: caller.userId } : {};
  options.log.info({ requestId: id, method: message.method, path, status, durationMs: options.clock.nowMs() - startedAtMs, ...user }, "request");
}

