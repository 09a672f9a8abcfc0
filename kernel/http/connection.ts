// One client connection: what is unanswered on it, and how it ends without losing an answer.
//
// Closing a socket while the client still sends makes the kernel answer with a reset, and the
// reset throws away the answer the client has not read yet. So a refused connection is ended on
// our side, read on for `lingerMs` into nothing, and only then destroyed. What is read so is not
// parsed, since a chunk of one byte costs as much as a large one, and it is bounded: then the client
// has to wait, and sees the answer if it looks for one.

import { STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { timestamp, type Clock } from "../base/index.ts";
import type { ServerLimits } from "./limits.ts";
import { headerLines, type Answer } from "./respond.ts";

type LingerLimits = Pick<ServerLimits, "lingerMs" | "lingerBytesMax">;

export interface Connection {
  socket: Socket;
  clock: Clock;
  limits: LingerLimits;
  /** Requests without a finished answer, in the order they came, and what ends each. */
  unanswered: Map<ServerResponse, () => void>;
  /** The last request that was parsed; its body may still be arriving. */
  latest: IncomingMessage | undefined;
  /** Set once the bytes that come make no sense any more: the answer to them, when all before it are out. */
  lastWords: string | undefined;
  ended: boolean;
}

export function openConnection(socket: Socket, clock: Clock, limits: LingerLimits): Connection {
  const connection: Connection = {
    socket,
    clock,
    limits,
    unanswered: new Map(),
    latest: undefined,
    lastWords: undefined,
    ended: false,
  };
  // Once answered, a request is no longer told by node that its body will not come.
  socket.once("close", () => void (connection.latest?.complete === false && connection.latest.destroy()));
  const destroySoon = socket.destroySoon.bind(socket);
  // node calls this after an answer with `Connection: close`.
  socket.destroySoon = () => {
    const { latest } = connection;
    if (latest === undefined || latest.complete || socket.destroyed) return destroySoon();
    linger(connection);
  };
  return connection;
}

/** Ends our side now and the connection a little later. Safe to repeat. */
function linger(connection: Connection, lastWords?: string): void {
  if (connection.ended) return;
  connection.ended = true;
  const { socket, clock, limits } = connection;
  const closed = new AbortController();
  socket.once("close", () => closed.abort());
  if (lastWords !== undefined && socket.writable) socket.write(lastWords);
  socket.end();
  discard(socket, limits.lingerBytesMax);
  void clock.sleep(limits.lingerMs, closed.signal).then(() => socket.destroy());
}

/** Takes the socket away from node's parser, which lets go of it for a listener of ours, and reads some more. */
function discard(socket: Socket, maxBytes: number): void {
  let size = 0;
  socket.removeAllListeners("data");
  socket.on("data", (bytes) => void ((size += bytes.length) > maxBytes && socket.pause())).resume();
}

/** Answers bytes that never became a request: after all that came before them, and as the last thing. */
export function refuseConnection(connection: Connection, answer: Answer, requestId: string): void {
  if (connection.lastWords !== undefined || connection.ended) return;
  connection.lastWords = rawAnswer(answer, requestId, connection.clock);
  speakLastWords(connection);
}

/** To be called whenever an answer is out. */
export function speakLastWords(connection: Connection): void {
  if (connection.lastWords === undefined || connection.unanswered.size > 0) return;
  linger(connection, connection.lastWords);
}

function rawAnswer(answer: Answer, requestId: string, clock: Clock): string {
  const lines = headerLines(answer, { requestId });
  let text = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? "Error"}\r\n`;
  for (let index = 0; index < lines.length; index += 2)
    text += `${String(lines[index])}: ${String(lines[index + 1])}\r\n`;
  return `${text}Date: ${httpDate(clock)}\r\nConnection: close\r\n\r\n${String(answer.body ?? "")}`;
}

function httpDate(clock: Clock): string {
  return new Date(timestamp(clock.nowMs())).toUTCString();
}
