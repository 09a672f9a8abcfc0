// What a server is made of: its options, and what its parts share while it runs.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock, Logger, Random } from "../base/index.ts";
import type { Connection } from "./connection.ts";
import type { ServerLimits } from "./limits.ts";
import type { ServerTls } from "./tls.ts";
import type { Upgrade } from "./upgrade.ts";

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
  /** A descriptor of a bound socket that this process was given, in the place of `port` and `host`. */
  listenFd?: number;
  log: Logger;
  clock: Clock;
  random: Random;
  /** With it the server is for those alone who show a certificate. */
  tls?: ServerTls | undefined;
  /** Another protocol that connections may go on with. */
  upgrade?: Upgrade | undefined;
  limits?: Partial<ServerLimits>;
}

export interface DrainOptions {
  /** Until all is over, the lead included. */
  graceMs: number;
  /**
   * How long it serves as before, for those who have not heard that it ends; and how long a connection has to be idle
   * before it is closed. From `idleConnectionMs` on, nobody is cut who has just sent a request. Default: 0.
   */
  leadMs?: number;
  /** Others accept at the same socket: whoever connects during the lead is theirs. */
  replaced?: boolean;
}

export interface ServerState extends HttpServerOptions {
  server: Server;
  bounds: ServerLimits;
  requestIdOf: (header: string | string[] | undefined) => string;
  connections: Map<Socket, Connection>;
  inFlight: number;
  draining: Promise<number> | undefined;
  /** Called when an answer is out, and when a request is over. */
  onChange: () => void;
}
