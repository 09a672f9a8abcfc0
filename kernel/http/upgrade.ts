// A connection that goes on as something else than HTTP, where its client asks for that and may.

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { errors, Failure } from "../contract/index.ts";
import { refuseConnection } from "./connection.ts";
import { errorAnswer } from "./errors.ts";
import { framingFailure } from "./protocol.ts";
import type { ServerState } from "./server-state.ts";
import { strangerFailure } from "./tls.ts";

/** What a server speaks beside HTTP. */
export interface Upgrade {
  readonly protocol: string;
  /** Only there; whoever asks for it elsewhere is refused as if there was no such protocol. */
  isAt(path: string): boolean;
  /** Throws the Failure with which it is refused. */
  accept(request: IncomingMessage): Accepted;
}

export interface Accepted {
  /** Beside those that every 101 has; flat. */
  readonly headers: readonly string[];
  /** Takes the connection, with what came behind the request. */
  open(socket: Socket, received: Buffer, work: Work): Upgraded;
}

/** Counts with the requests of the server: as one against its limit, and at its end. */
export interface Work {
  /** Whether there is room for one more. */
  begin(): boolean;
  over(): void;
}

export interface Upgraded {
  /** The server ends: its client shall ask for nothing more, and close the connection when it has its answers. */
  leave(): void;
}

export function isUpgrade(
  { upgrade }: Pick<ServerState, "upgrade">,
  { method, url, headers }: IncomingMessage,
): boolean {
  return (
    upgrade !== undefined &&
    method === "GET" &&
    headers.upgrade === upgrade.protocol &&
    headers["content-length"] === undefined &&
    headers["transfer-encoding"] === undefined &&
    upgrade.isAt(url!)
  );
}

export function takeUpgrade(state: ServerState, request: IncomingMessage, socket: Socket, received: Buffer): void {
  const connection = state.connections.get(socket);
  if (connection === undefined || connection.refused || socket.destroyed) return void socket.destroy();
  // node hands such a socket over bare: without a listener an error of it would end the process.
  socket.on("error", () => socket.destroy());
  let accepted: Accepted;
  try {
    const failure =
      framingFailure(request, state.bounds) ??
      (state.tls && strangerFailure(request, state.tls)) ??
      // Those that were asked before on this connection have their answers still to come.
      (state.draining !== undefined || connection.unanswered.size > 0 ? notNow() : undefined);
    if (failure !== undefined) throw failure;
    accepted = state.upgrade!.accept(request);
  } catch (error) {
    const requestId = state.requestIdOf(request.headers["x-request-id"]);
    socket.resume();
    refuseConnection(connection, errorAnswer(error, requestId), requestId, state.clock, state.bounds.lingerMs);
    return;
  }
  let lines = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${state.upgrade!.protocol}\r\n`;
  const { headers } = accepted;
  for (let index = 0; index < headers.length; index += 2) lines += `${headers[index]}: ${headers[index + 1]}\r\n`;
  socket.write(`${lines}\r\n`);
  connection.upgraded = accepted.open(socket, received, workOf(state));
}

function workOf(state: ServerState): Work {
  return {
    begin() {
      if (state.inFlight >= state.bounds.inFlightMax) return false;
      state.inFlight++;
      return true;
    },
    over() {
      state.inFlight--;
      state.onChange();
    },
  };
}

function notNow(): Failure {
  return new Failure(errors.unavailable, "The server ends or is busy", { headers: { "retry-after": "1" } });
}
