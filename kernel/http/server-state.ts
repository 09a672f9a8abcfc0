// What a server is made of: its options, and what its parts share while it runs.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock, Logger, Random } from "../base/index.ts";
import type { Connection } from "./connection.ts";
import type { ServerLimits } from "./limits.ts";
import type { ServerTls } from "./tls.ts";

/**
 * Answers one request. `requestId` is the client's if harmless, else a new one. A handler that
 * throws, or returns without having ended the response, is a bug: it is logged and the client
 * gets a 500.
 */
export type HttpHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
) => Promise<void> | void;

export interface HttpServerOptions {
  handle: HttpHandler;
  port: number;
  /** Default: every interface. */
  host?: string;
  log: Logger;
  clock: Clock;
  random: Random;
  /** With it the server is for those alone who show a certificate. */
  tls?: ServerTls | undefined;
  limits?: Partial<ServerLimits>;
}

export interface ServerState extends HttpServerOptions {
  server: Server;
  bounds: ServerLimits;
  requestIdOf: (header: string | string[] | undefined) => string;
  connections: Map<Socket, Connection>;
  inFlight: number;
  draining: Promise<number> | undefined;
  /** Called when the last request in flight is over. */
  onQuiet: () => void;
}
