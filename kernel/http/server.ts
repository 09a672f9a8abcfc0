// The HTTP server: node:http with bounds, and one form of answer for everything that goes wrong.
//
// A handler gets requests that are sound HTTP. Whatever else arrives (unparsable bytes, too many
// headers, slow senders, more work than fits) is answered here with the same envelope.

import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { errors, Failure } from "../contract/index.ts";
import { answered, closeUnlessAsked, openConnection, type Connection } from "./connection.ts";
import { holdContinue } from "./continue.ts";
import { errorAnswer } from "./errors.ts";
import { askAfterClient } from "./gone-client.ts";
import { drain, listen } from "./lifecycle.ts";
import { defaultLimits } from "./limits.ts";
import { protocolFailure } from "./protocol.ts";
import { refuseBytes, refuseTunnel } from "./refusals.ts";
import { createRequestIds } from "./request-id.ts";
import { send } from "./respond.ts";
import type { DrainOptions, HttpServerOptions, ServerState } from "./server-state.ts";
import { createSecureServer, strangerFailure } from "./tls.ts";
import { isUpgrade, takeUpgrade } from "./upgrade.ts";

export interface HttpServer {
  /** Resolves with the port in use (of interest for port 0). Throws with advice when it is taken. */
  listen(): Promise<number>;
  /**
   * From now on every answer says `Connection: close`. After the lead it stops accepting, lets running
   * requests finish, and cuts what is left at the end of the grace. Returns how many requests were cut.
   * Safe to repeat: later calls wait for the first.
   */
  drain(options: DrainOptions): Promise<number>;
  /** Requests being worked on now. */
  inFlight(): number;
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const bounds = { ...defaultLimits, ...options.limits };
  const settings: ServerOptions = {
    maxHeaderSize: bounds.headerBytesMax,
    headersTimeout: bounds.headersTimeoutMs,
    requestTimeout: bounds.requestTimeoutMs,
    connectionsCheckingInterval: bounds.checkIntervalMs,
    keepAliveTimeout: bounds.keepAliveTimeoutMs,
    keepAliveTimeoutBuffer: bounds.keepAliveBufferMs,
    insecureHTTPParser: false,
    // A missing Host is refused in protocol.ts, with a body.
    requireHostHeader: false,
    // Requests without a body skip the stream machinery; see `readBytes`.
    optimizeEmptyRequests: true,
    // Every other offer of a protocol is a request as any.
    shouldUpgradeCallback: (request) => isUpgrade(options, request),
  };
  const { tls } = options;
  const server = tls === undefined ? createServer(settings) : createSecureServer(settings, tls);
  server.maxConnections = bounds.connectionsMax;
  // node would drop headers beyond its maximum silently; protocol.ts counts them instead.
  server.maxHeadersCount = 0;
  // A client may end its side after the request and still wants the answer.
  (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;

  const state: ServerState = {
    ...options,
    server,
    bounds,
    requestIdOf: createRequestIds(options.random),
    connections: new Map(),
    inFlight: 0,
    draining: undefined,
    onChange: () => {},
  };
  // What requests come on; with TLS that is what the handshake has led to.
  server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
    const connection = openConnection(socket, options.clock, bounds.lingerMs);
    state.connections.set(socket, connection);
    askAfterClient(connection, options.clock);
    socket.once("close", () => {
      state.connections.delete(socket);
      // node closes the answer it is sending, and forgets those that queue behind it.
      for (const end of connection.unanswered.values()) end();
    });
  });
  // Of connections that are kept, and nobody asks on.
  server.on("timeout", (socket) => {
    const connection = state.connections.get(socket);
    if (connection === undefined) socket.destroy();
    else void closeUnlessAsked(connection, state.clock);
  });
  server.on("request", (request, response) => accept(state, request, response));
  server.on("checkContinue", (request, response) => {
    holdContinue(request, response);
    accept(state, request, response);
  });
  // RFC 9110 lets a server ignore expectations it does not know.
  server.on("checkExpectation", (request, response) => accept(state, request, response));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuseBytes(state, error, socket as Socket));
  // An older node would hand over every offer.
  if (options.upgrade !== undefined && "shouldUpgradeCallback" in server)
    server.on("upgrade", (request, socket, head) => takeUpgrade(state, request, socket as Socket, head));
  server.on("connect", (request, socket) => refuseTunnel(state, request, socket as Socket));

  return {
    listen: () => listen(state),
    drain: (drainOptions) => (state.draining ??= drain(state, drainOptions)),
    inFlight: () => state.inFlight,
  };
}

function accept(state: ServerState, request: IncomingMessage, response: ServerResponse): void {
  const connection = state.connections.get(request.socket);
  if (connection === undefined) return void request.socket.destroy();
  // Where it begins is anybody's guess: the one before was not understood, and ends the connection.
  if (connection.refused) return;
  const requestId = state.requestIdOf(request.headers["x-request-id"]);
  connection.latest = request;
  state.inFlight++;
  if (state.draining !== undefined) response.shouldKeepAlive = false;

  // A request is over when its handler is and its answer is out (or its client gone).
  let left = 2;
  const over = () => {
    if (--left > 0) return;
    state.inFlight--;
    state.onChange();
  };
  const end = () => {
    if (!connection.unanswered.delete(response)) return;
    answered(connection, state.clock, state.bounds.lingerMs);
    state.onChange();
    over();
  };
  connection.unanswered.set(response, end);
  response.on("close", end);
  void answer(state, connection, request, response, requestId).then(over);
}

/** Never rejects. */
async function answer(
  state: ServerState,
  connection: Connection,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  try {
    const misunderstood = protocolFailure(request, state.bounds) ?? (state.tls && strangerFailure(request, state.tls));
    if (misunderstood !== undefined) {
      connection.refused = true;
      response.shouldKeepAlive = false;
    }
    const failure = misunderstood ?? overload(state, connection);
    if (failure === undefined) await state.handle(request, response, requestId);
    else void send(request, response, errorAnswer(failure, requestId), { requestId });
    if (!response.writableEnded && !response.destroyed) throw new Error("The handler returned without an answer");
  } catch (err) {
    state.log.error({ requestId, err }, "A request handler failed");
    if (response.headersSent) response.destroy();
    // Not the error's own answer, even of a Failure: its headers may be what could not be sent.
    else void send(request, response, errorAnswer(undefined, requestId), { requestId });
  }
  // What the socket took is on its way, though node says so only in a moment.
  if (response.writableFinished || (response.writableEnded && response.socket?.writableLength === 0)) return;
  // An answer that queues behind another one of its connection gets the socket when its turn comes.
  if (response.socket !== null) cutSlowReader(state, response, response.socket);
  else response.once("socket", (socket: Socket) => cutSlowReader(state, response, socket));
}

function overload(state: ServerState, connection: Connection): Failure | undefined {
  if (state.inFlight <= state.bounds.inFlightMax && connection.unanswered.size <= state.bounds.pipelinedMax)
    return undefined;
  return new Failure(errors.unavailable, "The server is busy; try again", { headers: { "retry-after": "1" } });
}

/** Answers that fit the socket's buffer never come here. */
function cutSlowReader({ clock, bounds }: ServerState, response: ServerResponse, socket: Socket): void {
  const closed = new AbortController();
  response.once("close", () => closed.abort());
  void clock.sleep(bounds.writeTimeoutMs, closed.signal).then(() => {
    if (!closed.signal.aborted) socket.destroy();
  });
}
