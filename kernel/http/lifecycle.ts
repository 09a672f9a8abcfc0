// How a server begins and ends.

import { type AddressInfo, createServer } from "node:net";
import type { ServerState } from "./server-state.ts";

export function listen({ server, port, host, log }: ServerState): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException) => reject(listenError(cause, port));
    server.once("error", onError);
    server.listen({ port, host }, () => {
      server.off("error", onError);
      server.on("error", (err) => log.error({ err }, "The HTTP server failed"));
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/**
 * Throws what `listen` would throw for a port that is taken, before anything else is started. Somebody may
 * still take it in between, so `listen` says it again.
 */
export async function assertPortFree(host: string, port: number): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", (cause) => reject(listenError(cause, port)));
    probe.listen({ port, host }, resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
}

function listenError(cause: NodeJS.ErrnoException, port: number): Error {
  if (cause.code === "EADDRINUSE") {
    return new Error(
      `Port ${port} is already in use. Stop the program that holds it, or choose another port, for example PORT=${port + 1}.`,
      { cause },
    );
  }
  if (cause.code === "EACCES") {
    return new Error(`Port ${port} needs privileges this process does not have. Choose one above 1023 with PORT.`, {
      cause,
    });
  }
  return cause;
}

export async function drain(state: ServerState, graceMs: number): Promise<number> {
  const { server, clock } = state;
  const done = new AbortController();
  let closed = false;
  // A handler may outlive its client; what it uses must not be closed under it.
  state.onQuiet = () => void (closed && state.inFlight === 0 && done.abort());
  for (const { socket, unanswered } of state.connections.values()) {
    for (const response of unanswered.keys()) response.shouldKeepAlive = false;
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
