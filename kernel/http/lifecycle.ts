// How a server begins and ends.

import { lookup } from "node:dns/promises";
import net, { type AddressInfo, type BoundSocket, createServer, Server as NetServer } from "node:net";
import { closeUnlessAsked, isIdle } from "./connection.ts";
import type { DrainOptions, ServerState } from "./server-state.ts";

export function listen({ server, port, host, listenFd, log }: ServerState): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException) => reject(listenError(cause, port, listenFd));
    server.once("error", onError);
    server.listen(listenFd === undefined ? { port, host } : { fd: listenFd }, () => {
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

/**
 * Takes a port without listening at it, for processes that are given the socket's descriptor and share it. Connections
 * wait in it whichever of them is there, as long as it is not closed here.
 */
export async function bindSocket(host: string, port: number): Promise<BoundSocket> {
  // The project brings such a Node; without it everything else runs on an older one.
  if (net.BoundSocket === undefined) throw new Error("Processes that share a port need Node 26.4 or newer.");
  const { address } = await lookup(host);
  try {
    return new net.BoundSocket({ host: address, port });
  } catch (cause) {
    throw listenError(cause as NodeJS.ErrnoException, port);
  }
}

function listenError(cause: NodeJS.ErrnoException, port: number, listenFd?: number): Error {
  if (listenFd !== undefined)
    return new Error(`Descriptor ${listenFd} is no socket to listen on: ${cause.message}. LISTEN_FDS promises one.`, {
      cause,
    });
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

export async function drain(
  state: ServerState,
  { graceMs, leadMs = 0, replaced = false }: DrainOptions,
): Promise<number> {
  const { server, clock } = state;
  const untilMs = clock.nowMs() + graceMs;
  for (const { unanswered, upgraded } of state.connections.values()) {
    for (const response of unanswered.keys()) response.shouldKeepAlive = false;
    upgraded?.leave();
  }
  if (leadMs > 0 && !replaced) await clock.sleep(Math.min(leadMs, graceMs));
  const listening = { closed: false };
  let change = new AbortController();
  state.onChange = () => change.abort("changed");
  // Not that of an HTTP server, which would end the connections that are idle now.
  NetServer.prototype.close.call(server, () => {
    listening.closed = true;
    state.onChange();
  });
  // A handler may outlive its client; what it uses must not be closed under it.
  while (!(listening.closed && state.inFlight === 0) && clock.nowMs() < untilMs) {
    change = new AbortController();
    const nextMs = closeIdleSince(state, clock.nowMs() - leadMs) + leadMs;
    await clock.sleep(Math.min(nextMs, untilMs) - clock.nowMs(), change.signal);
  }
  const cut = state.inFlight;
  for (const socket of state.connections.keys()) socket.destroy();
  if (cut > 0) state.log.warn({ cut }, "Requests were cut at the end of the grace period");
  return cut;
}

/** Closes what is idle since that moment or longer, and returns since when the next one is. */
function closeIdleSince({ connections, clock }: ServerState, sinceMs: number): number {
  let nextMs = Number.POSITIVE_INFINITY;
  for (const connection of connections.values()) {
    if (!isIdle(connection)) continue;
    if (connection.idleSinceMs <= sinceMs) void closeUnlessAsked(connection, clock);
    else nextMs = Math.min(nextMs, connection.idleSinceMs);
  }
  return nextMs;
}
