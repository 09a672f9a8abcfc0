// Answers to what never became a request: bytes that are no HTTP, clients that took too long,
// and tunnels.

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { errors, Failure } from "../contract/index.ts";
import { refuseConnection } from "./connection.ts";
import { errorAnswer } from "./errors.ts";
import { parserFailure } from "./protocol.ts";
import { send } from "./respond.ts";
import type { ServerState } from "./server-state.ts";

export function refuseBytes(state: ServerState, error: NodeJS.ErrnoException, socket: Socket): void {
  const connection = state.connections.get(socket);
  const failure = parserFailure(error);
  if (connection === undefined || failure === undefined || socket.destroyed) return void socket.destroy();
  const { latest } = connection;
  if (latest?.complete === false) {
    // The body of the last request broke: its answer is this one, if it has none yet.
    const response = [...connection.unanswered.keys()].at(-1);
    if (response === undefined || response.headersSent) return void socket.destroy();
    const requestId = state.requestIdOf(latest.headers["x-request-id"]);
    response.shouldKeepAlive = false;
    void send(latest, response, errorAnswer(failure, requestId), { requestId });
    return;
  }
  const requestId = state.requestIdOf(undefined);
  refuseConnection(connection, errorAnswer(failure, requestId), requestId, state.clock, state.bounds.lingerMs);
}

export function refuseTunnel(state: ServerState, request: IncomingMessage, socket: Socket): void {
  const connection = state.connections.get(socket);
  if (connection === undefined) return void socket.destroy();
  // node hands such a socket over bare: without a listener an error of it would end the process.
  socket.on("error", () => socket.destroy()).resume();
  const requestId = state.requestIdOf(request.headers["x-request-id"]);
  const headers = { allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" };
  const failure = new Failure(errors.methodNotAllowed, "This server is not a proxy", { headers });
  refuseConnection(connection, errorAnswer(failure, requestId), requestId, state.clock, state.bounds.lingerMs);
}
