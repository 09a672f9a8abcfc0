// One client connection: what is unanswered on it, and how it ends without losing an answer.
//
// Closing a socket while the client still sends makes the kernel answer with a reset, and the
// reset throws away the answer the client has not read yet. So a refused connection is ended on
// our side, read on for `lingerMs` into nothing, and only then destroyed.

import { STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { timestamp, type Clock } from "../base/index.ts";
import { headerLines, type Answer } from "./respond.ts";
import type { Upgraded } from "./upgrade.ts";

export interface Connection {
  socket: Socket;
  /** Requests without a finished answer, in the order they came, and what ends each. */
  unanswered: Map<ServerResponse, () => void>;
  /** The last request that was parsed; its body may still be arriving. */
  latest: IncomingMessage | undefined;
  /** Set once the bytes that come make no sense any more: the answer to them, when all before it are out. */
  lastWords: string | undefined;
  /** Set once a request was refused as HTTP: nothing that follows it is served. */
  refused: boolean;
  /** Since when nothing is asked on it, and what had been read of it by then. */
  idleSinceMs: number;
  bytesReadWhenIdle: number;
  ended: boolean;
  /** What it has become, where it goes on as something else than HTTP. */
  upgraded: Upgraded | undefined;
}

export function openConnection(socket: Socket, clock: Clock, lingerMs: number): Connection {
  const connection: Connection = {
    socket,
    unanswered: new Map(),
    latest: undefined,
    lastWords: undefined,
    refused: false,
    idleSinceMs: clock.nowMs(),
    bytesReadWhenIdle: 0,
    ended: false,
    upgraded: undefined,
  };
  // Once answered, a request is no longer told by node that its body will not come.
  socket.once("close", () => void (connection.latest?.complete === false && connection.latest.destroy()));
  const destroySoon = socket.destroySoon.bind(socket);
  // node calls this after an answer with `Connection: close`.
  socket.destroySoon = () => {
    const { latest } = connection;
    if (latest === undefined || latest.complete || socket.destroyed) return destroySoon();
    latest.resume();
    linger(connection, clock, lingerMs);
  };
  return connection;
}

/** Ends our side now and the connection a little later. Safe to repeat. */
function linger(connection: Connection, clock: Clock, lingerMs: number, lastWords?: string): void {
  if (connection.ended) return;
  connection.ended = true;
  const { socket } = connection;
  const closed = new AbortController();
  socket.once("close", () => closed.abort());
  if (lastWords !== undefined && socket.writable) socket.write(lastWords);
  socket.end();
  void clock.sleep(lingerMs, closed.signal).then(() => socket.destroy());
}

/** Answers bytes that never became a request: after all that came before them, and as the last thing. */
export function refuseConnection(
  connection: Connection,
  answer: Answer,
  requestId: string,
  clock: Clock,
  lingerMs: number,
): void {
  if (connection.lastWords !== undefined || connection.ended) return;
  connection.lastWords = rawAnswer(answer, requestId, clock);
  speakLastWords(connection, clock, lingerMs);
}

/** To be called whenever an answer is out. */
export function answered(connection: Connection, clock: Clock, lingerMs: number): void {
  connection.idleSinceMs = clock.nowMs();
  connection.bytesReadWhenIdle = connection.socket.bytesRead;
  speakLastWords(connection, clock, lingerMs);
}

/** Whether no request is under way on it, half-sent ones included. */
export function isIdle({ socket, unanswered, bytesReadWhenIdle, upgraded }: Connection): boolean {
  return upgraded === undefined && unanswered.size === 0 && socket.bytesRead === bytesReadWhenIdle;
}

/**
 * Closes an idle connection, unless a request has come meanwhile. A process that was kept from running learns first that
 * the time is over, and only then what has long been there to read.
 */
export async function closeUnlessAsked(connection: Connection, clock: Clock): Promise<void> {
  const { idleSinceMs } = connection;
  await clock.sleep(0);
  if (isIdle(connection) && connection.idleSinceMs === idleSinceMs) connection.socket.destroy();
}

function speakLastWords(connection: Connection, clock: Clock, lingerMs: number): void {
  if (connection.lastWords === undefined || connection.unanswered.size > 0) return;
  linger(connection, clock, lingerMs, connection.lastWords);
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
