// A server for the processes of one system: TLS, and a certificate of their authority from everybody who asks.
//
// A stranger gets through the handshake and is refused as a request is, with words, and not by a connection that
// breaks off: those who probe whether a process lives (Kubernetes among them) have no certificate to show, and
// a second port for them would be one more to protect.

import type { IncomingMessage, Server, ServerOptions } from "node:http";
import { createServer } from "node:https";
import type { TLSSocket } from "node:tls";
import { errors, Failure } from "../contract/index.ts";

export interface ServerTls {
  /** PEM. */
  cert: string;
  key: string;
  /** Who may ask has a certificate of one of these; PEM, several one after the other. */
  ca: string;
  /** The paths that are answered to anybody. */
  open: readonly string[];
}

/** A client that connects and does not get to the point is cut after this. */
const handshakeMsMax = 5_000;

export function createSecureServer(options: ServerOptions, { cert, key, ca }: ServerTls): Server {
  return createServer({
    ...options,
    cert,
    key,
    ca,
    minVersion: "TLSv1.2",
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: handshakeMsMax,
  });
}

/** Why a request is not served: its connection showed no certificate, or one that is not of this system or not valid now. */
export function strangerFailure({ socket, url = "" }: IncomingMessage, { open }: ServerTls): Failure | undefined {
  const { authorized, authorizationError } = socket as TLSSocket;
  if (authorized || open.includes(url)) return undefined;
  return new Failure(errors.forbidden, "Only processes of this system, which show its certificate, are served here", {
    cause: authorizationError,
  });
}
