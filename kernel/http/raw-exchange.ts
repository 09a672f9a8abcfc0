// For tests of this folder: a server on a free port, and a client that sends exactly these bytes.

import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { silentLogger, systemClock, systemRandom } from "../base/index.ts";
import { createHttpServer, type HttpServer } from "./server.ts";
import type { HttpHandler, HttpServerOptions } from "./server-state.ts";

export interface TestServer {
  server: HttpServer;
  port: number;
  /** Sends bytes and returns everything answered until the server closes the connection. */
  raw(bytes: string | Uint8Array): Promise<string>;
  /** A connection to do as one likes with. `keepsSending`: it is not ended when the server ends its side. */
  open(options?: { keepsSending?: boolean }): TestSocket;
}

export interface TestSocket {
  socket: Socket;
  text(): string;
  /** Resolves when the text received so far contains `part`. */
  has(part: string): Promise<void>;
  closed: Promise<void>;
}

export async function startServer(
  context: TestContext,
  handle: HttpHandler,
  options: Partial<HttpServerOptions> = {},
): Promise<TestServer> {
  const defaults = { host: "127.0.0.1", port: 0, log: silentLogger, clock: systemClock, random: systemRandom };
  const server = createHttpServer({ handle, ...defaults, ...options });
  const port = await server.listen();
  context.after(() => server.drain({ graceMs: 0 }));
  return {
    server,
    port,
    open: ({ keepsSending } = {}) => openSocket(port, keepsSending),
    async raw(bytes) {
      const opened = openSocket(port);
      opened.socket.write(bytes);
      await opened.closed;
      return opened.text();
    },
  };
}

function openSocket(port: number, keepsSending = false): TestSocket {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: keepsSending });
  let text = "";
  const waiting: { part: string; resolve: () => void }[] = [];
  const wake = () => {
    for (const { part, resolve } of waiting) if (text.includes(part)) resolve();
  };
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    text += chunk;
    wake();
  });
  socket.on("error", () => {});
  return {
    socket,
    text: () => text,
    has(part) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ part, resolve });
      wake();
      return promise;
    },
    closed: new Promise((resolve) => void socket.on("close", () => resolve())),
  };
}

/** Splits one answer into what tests look at. */
export function parseAnswer(text: string): { status: number; headers: Map<string, string>; body: string } {
  const end = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
  return { status: Number(statusLine.split(" ")[1]), headers, body: text.slice(end + 4) };
}
