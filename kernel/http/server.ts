// The HTTP server: node:http with bounds, and one form of answer for everything that goes wrong.
//
// A handler gets requests that are sound HTTP. Whatever else arrives (unparsable bytes, too many
// headers, slow senders, more work than fits) is answered here with the same envelope.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock, Logger, Random } from "../base/index.ts";
import { errors, Failure } from "../contract/index.ts";
import { openConnection, refuseConnection, speakLastWords, type Connection } from "./connection.ts";
import { holdContinue } from "./continue.ts";
import { errorAnswer } from "./errors.ts";
import { defaultLimits, type ServerLimits } from "./limits.ts";
import { parserFailure, protocolFailure } from "./protocol.ts";
import { createRequestIds } from "./request-id.ts";
import { send } from "./respond.ts";

/**
 * Answers one request. `requestId` is the client's if harmless, else a new one. A handler that
 * throws, or returns without having ended the response, is a bug: it is logged and the client
 * gets a 500.
 */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse, requestId: string) => Promise<void> | void;

export interface HttpServerOptions {
  handle: HttpHandler;
  port: number;
  /** Default: every interface. */
  host?: string;
  log: Logger;
  clock: Clock;
  random: Random;
  limits?: Partial<ServerLimits>;
}

export interface HttpServer {
  /** Resolves with the port in use (of interest for port 0). Throws with advice when it is taken. */
  listen(): Promise<number>;
  /**
   * Stops accepting, closes idle connections, lets running requests finish with
   * `Connection: close`, and cuts what is left after `graceMs`. Returns how many requests were
   * cut. Safe to repeat: later calls wait for the first.
   */
  drain(graceMs: number): Promise<number>;
  /** Requests being worked on now. */
  inFlight(): number;
}

interface State extends HttpServerOptions {
  server: Server;
  bounds: ServerLimits;
  requestIdOf: (header: string | string[] | undefined) => string;
  connections: Map<Socket, Connection>;
  inFlight: number;
  draining: Promise<number> | undefined;
  /** Called when the last request in flight is over. */
  onQuiet: () => void;
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const bounds = { ...defaultLimits, ...options.limits };
  const server = createServer({
    maxHeaderSize: bounds.headerBytesMax,
    headersTimeout: bounds.headersTimeoutMs,
    requestTimeout: bounds.requestTimeoutMs,
    connectionsCheckingInterval: bounds.checkIntervalMs,
    keepAliveTimeout: bounds.keepAliveTimeoutMs,
    insecureHTTPParser: false,
    // A missing Host is refused in protocol.ts, with a body.
    requireHostHeader: false,
    // Requests without a body skip the stream machinery; see `readBytes`.
    optimizeEmptyRequests: true,
  });
  server.maxConnections = bounds.connectionsMax;
  // node would drop headers beyond its maximum silently; protocol.ts counts them instead.
  server.maxHeadersCount = 0;
  // A client may end its side after the request and still wants the answer.
  (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;

  const state: State = {
    ...options,
    server,
    bounds,
    requestIdOf: createRequestIds(options.random),
    connections: new Map(),
    inFlight: 0,
    draining: undefined,
    onQuiet: () => {},
  };
  server.on("connection", (socket) => {
    state.connections.set(socket, openConnection(socket, options.clock, bounds.lingerMs));
    socket.once("close", () => state.connections.delete(socket));
  });
  server.on("request", (request, response) => accept(state, request, response));
  server.on("checkContinue", (request, response) => {
    holdContinue(request, response);
    accept(state, request, response);
  });
  // RFC 9110 lets a server ignore expectations it does not know.
  server.on("checkExpectation", (request, response) => accept(state, request, response));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuseBytes(state, error, socket as Socket));
  server.on("connect", (request, socket) => refuseTunnel(state, request, socket as Socket));

  return {
    listen: () => listen(state),
    drain: (graceMs) => (state.draining ??= drain(state, graceMs)),
    inFlight: () => state.inFlight,
  };
}

function accept(state: State, request: IncomingMessage, response: ServerResponse): void {
  const connection = state.connections.get(request.socket);
  if (connection === undefined) return void request.socket.destroy();
  const requestId = state.requestIdOf(request.headers["x-request-id"]);
  connection.latest = request;
  connection.unanswered.add(response);
  state.inFlight++;
  if (state.draining !== undefined) response.shouldKeepAlive = false;

  // A request is over when its handler is and its answer is out (or its client gone).
  let left = 2;
  const over = () => {
    if (--left === 0 && --state.inFlight === 0) state.onQuiet();
  };
  response.once("close", () => {
    connection.unanswered.delete(response);
    speakLastWords(connection, state.clock, state.bounds.lingerMs);
    if (state.draining !== undefined) state.server.closeIdleConnections();
    over();
  });
  void answer(state, connection, request, response, requestId).then(over);
}

/** Never rejects. */
async function answer(state: State, connection: Connection, request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
  try {
    const failure = protocolFailure(request, state.bounds) ?? overload(state, connection);
    if (failure === undefined) await state.handle(request, response, requestId);
    else void send(request, response, errorAnswer(failure, requestId), { requestId });
    if (!response.writableEnded && !response.destroyed) throw new Error("The handler returned without an answer");
  } catch (err) {
    state.log.error({ requestId, err }, "A request handler failed");
    if (response.headersSent) response.destroy();
    // Not the error's own answer, even of a Failure: its headers may be what could not be sent.
    else void send(request, response, errorAnswer(undefined, requestId), { requestId });
  }
  if (!response.writableFinished && response.socket !== null) cutSlowReader(state, response, response.socket);
}

function overload(state: State, connection: Connection): Failure | undefined {
  if (state.inFlight <= state.bounds.inFlightMax && connection.unanswered.size <= state.bounds.pipelinedMax) return undefined;
  return new Failure(errors.unavailable, "The server is busy; try again", { headers: { "retry-after": "1" } });
}

/** Answers that fit the socket's buffer never come here. */
function cutSlowReader({ clock, bounds }: State, response: ServerResponse, socket: Socket): void {
  const closed = new AbortController();
  response.once("close", () => closed.abort());
  void clock.sleep(bounds.writeTimeoutMs, closed.signal).then(() => {
    if (!closed.signal.aborted) socket.destroy();
  });
}

function refuseBytes(state: State, error: NodeJS.ErrnoException, socket: Socket): void {
  const connection = state.connections.get(socket);
  const failure = parserFailure(error);
  if (connection === undefined || failure === undefined || socket.destroyed) return void socket.destroy();
  const { latest } = connection;
  if (latest?.complete === false) {
    // The body of the last request broke: its answer is this one, if it has none yet.
    const response = [...connection.unanswered].at(-1);
    if (response === undefined || response.headersSent) return void socket.destroy();
    const requestId = state.requestIdOf(latest.headers["x-request-id"]);
    response.shouldKeepAlive = false;
    void send(latest, response, errorAnswer(failure, requestId), { requestId });
    return;
  }
  const requestId = state.requestIdOf(undefined);
  refuseConnection(connection, errorAnswer(failure, requestId), requestId, state.clock, state.bounds.lingerMs);
}

function refuseTunnel(state: State, request: IncomingMessage, socket: Socket): void {
  const connection = state.connections.get(socket);
  if (connection === undefined) return void socket.destroy();
  // node hands such a socket over bare: without a listener an error of it would end the process.
  socket.on("error", () => socket.destroy()).resume();
  const requestId = state.requestIdOf(request.headers["x-request-id"]);
  const headers = { allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" };
  const failure = new Failure(errors.methodNotAllowed, "This server is not a proxy", { headers });
  refuseConnection(connection, errorAnswer(failure, requestId), requestId, state.clock, state.bounds.lingerMs);
}

function listen({ server, port, host }: State): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(listenError(cause, port)));
    server.listen({ port, host }, () => {
      server.removeAllListeners("error");
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function listenError(cause: NodeJS.ErrnoException, port: number): Error {
  if (cause.code === "EADDRINUSE") {
    return new Error(`Port ${port} is already in use. Stop the program that holds it, or choose another port, for example PORT=${port + 1}.`, { cause });
  }
  if (cause.code === "EACCES") {
    return new Error(`Port ${port} needs privileges this process does not have. Choose one above 1023 with PORT.`, { cause });
  }
  return cause;
}

async function drain(state: State, graceMs: number): Promise<number> {
  const { server, clock } = state;
  const done = new AbortController();
  let closed = false;
  // A handler may outlive its client; what it uses must not be closed under it.
  state.onQuiet = () => void (closed && state.inFlight === 0 && done.abort());
  for (const { socket, unanswered } of state.connections.values()) {
    for (const response of unanswered) response.shouldKeepAlive = false;
    // node counts a connection that never sent a byte as busy.
    if (socket.bytesRead === 0) socket.destroy();
  }
  server.close(() => {
    closed = true;
    state.onQuiet();
  });
  await clock.sleep(graceMs, done.signal);
  const cut = state.inFlight;
  for (const socket of state.connections.keys()) socket.destroy();
  if (cut > 0) state.log.warn({ cut }, "Requests were cut at the end of the grace period");
  return cut;
}
