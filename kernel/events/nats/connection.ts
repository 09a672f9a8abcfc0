// One connection to NATS at a time, made again whenever it ends.
//
// The library can reconnect by itself; here it may not: it would keep what is published meanwhile, without a
// bound, and send it to a NATS that may be another or an empty one. So a connection that ends is gone with
// everything on it, who waits on it is told at once, and the next one begins afresh.

import { connect, type ConnectionOptions, type NatsConnection } from "@nats-io/transport-node";
import type { Clock, Logger, Random } from "../../base/index.ts";
import { backoffMs } from "../backoff.ts";
import { createTrouble, type Trouble } from "../trouble.ts";
import type { NatsLimits } from "./limits.ts";
import { type NatsAddress, optionsOf } from "./nats-url.ts";

export interface ConnectionParts {
  address: NatsAddress;
  /** Names the connection in the lists of NATS. */
  name: string;
  limits: NatsLimits;
  clock: Clock;
  random: Random;
  log: Logger;
  up(nats: NatsConnection): void;
  down(): void;
}

export interface Connection {
  /** Undefined while NATS is away. */
  now(): NatsConnection | undefined;
  /** Ends it and connects no more. Safe to repeat. */
  close(): Promise<void>;
}

/** Resolves when the first attempt has ended, well or badly: without NATS everything else can start. */
export async function openConnection(parts: ConnectionParts): Promise<Connection> {
  const { limits, clock, random } = parts;
  const trouble = createTrouble(parts.log, "Reaching NATS");
  const closing = new AbortController();
  const tried = Promise.withResolvers<void>();
  let current: NatsConnection | undefined;

  const connectOnce = async () => {
    const nats = await connect(connectionOptions(parts));
    trouble.over();
    if (closing.signal.aborted) return nats.close();
    current = nats;
    void hearErrors(nats, parts);
    parts.up(nats);
    tried.resolve();
    const reason = await nats.closed();
    current = undefined;
    parts.down();
    if (!closing.signal.aborted) failed(trouble, reason ?? new Error("the connection ended"));
  };
  const keep = async () => {
    while (!closing.signal.aborted) {
      await connectOnce().catch((error: unknown) => failed(trouble, error));
      tried.resolve();
      const range = { minMs: limits.pauseMinMs, maxMs: limits.pauseMaxMs, random };
      await clock.sleep(backoffMs(Math.max(1, trouble.failures), range), closing.signal);
    }
  };
  const kept = keep();
  await tried.promise;
  return {
    now: () => (current?.isClosed() === false ? current : undefined),
    async close() {
      closing.abort();
      await current?.close();
      await kept;
    },
  };
}

function connectionOptions({ address, name, limits }: ConnectionParts): ConnectionOptions {
  return {
    ...optionsOf(address),
    name,
    reconnect: false,
    timeout: limits.answerTimeoutMs,
    pingInterval: limits.pingMs,
    maxPingOut: 2,
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
  };
}

/** What NATS refuses to this connection without ending it, such as a subject that its user may not use. */
async function hearErrors(nats: NatsConnection, { log }: ConnectionParts): Promise<void> {
  for await (const status of nats.status())
    if (status.type === "error") log.warn({ reason: status.error.message }, "NATS refuses something");
}

/** The message only: the errors of the library may carry what it was given. */
function failed(trouble: Trouble, error: unknown): void {
  trouble.failed(new Error(error instanceof Error ? error.message || error.name : "no connection"));
}
