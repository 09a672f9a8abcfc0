// One connection to the store that several processes share (Valkey or Redis), made to be lost.
//
// Nothing that guards money or identity is in there, so everybody who uses it can go on without it, and must
// be able to quickly: while it is down a question fails at once and is not kept for later, and one that gets no
// answer fails in time. That one failure closes the way for all others, since a store that hangs would cost
// each request as long, until the store has shown that it is back (watch.ts).

import type { Redis as Client } from "ioredis";
import type { Clock, Logger } from "../base/index.ts";
import { createPatience } from "./patience.ts";
import { RedisDown } from "./redis-down.ts";
import { createWatch, messageOf, write } from "./watch.ts";

/** The client as the library has it. Its commands are not bounded in time by themselves: use `ask`. */
export type RedisClient = Client;

export interface RedisOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. Never logged. */
  url: string;
  /** Names the connection in the store's list of clients. */
  name: string;
  /** How long an answer is waited for. Default: 100. */
  answerMsMax?: number;
  clock: Clock;
  log: Logger;
}

export interface Redis {
  /** Whether a question would be sent now. */
  isUp(): boolean;
  /**
   * Answers what `run` answers. Rejects with RedisDown at once while the store is down, and within `answerMsMax` when it
   * does not answer; what was sent may still have its effect then. What the store itself refuses is rejected as it is.
   */
  ask<T>(run: (client: RedisClient) => Promise<T>): Promise<T>;
  /**
   * A connection of its own, for who listens to messages. It connects and subscribes again by itself, and is closed
   * with this one. Nothing tells that it hears nothing any more (a lost network): who counts on it asks it for a PING.
   */
  connect(): RedisClient;
  /** The time of one write there and back, in ms. */
  ping(): Promise<number>;
  /** Ends every connection; what waits for an answer is rejected. Safe to repeat. */
  close(): Promise<void>;
}

/** A connection on which nothing comes for this long, although something was asked, is given up and made again. */
const silenceMsMax = 1_000;
const connectMsMax = 1_000;
const disconnectMsMax = 200;
const retryMsMax = 500;
/** What a store answers that is there and takes no writes. */
const takesNoWrites = /^(READONLY|OOM|MISCONF|NOREPLICAS|MASTERDOWN|LOADING|BUSY|CLUSTERDOWN)\b/;

/** Resolves when it is known whether the store is of use: everything else can start without it. */
export async function openRedis({ url, name, answerMsMax = 100, clock, log }: RedisOptions): Promise<Redis> {
  const client = await createClient(url, name);
  const clients = [client];
  const watch = createWatch({ client, clock, log, answerMsMax });
  const patience = createPatience(clock, answerMsMax, () => watch.fall(`no answer within ${answerMsMax} ms`));
  const ask = async <T>(run: (of: RedisClient) => Promise<T>): Promise<T> => {
    if (!watch.isUp()) throw new RedisDown();
    try {
      return await patience.wait(run(client));
    } catch (error) {
      if (client.status !== "ready") throw new RedisDown({ cause: error });
      if (error instanceof Error && takesNoWrites.test(error.message)) watch.fall(messageOf(error));
      throw error;
    }
  };
  let closing: Promise<void> | undefined;
  await watch.decided;
  return {
    isUp: watch.isUp,
    ask,
    connect() {
      const further = client.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null });
      further.on("error", () => {});
      clients.push(further);
      return further;
    },
    async ping() {
      const startMs = clock.nowMs();
      await ask(write);
      return clock.nowMs() - startMs;
    },
    close() {
      watch.end();
      closing ??= Promise.all(clients.map(end)).then(() => {});
      patience.end();
      return closing;
    },
  };
}

async function createClient(url: string, name: string): Promise<RedisClient> {
  // Loaded where there is a store: without one it would only take memory.
  const { Redis: Client } = await import("ioredis");
  // Written the usual way: the library takes REDISS:// for an address without TLS.
  return new Client(new URL(url).href, {
    connectionName: name,
    connectTimeout: connectMsMax,
    disconnectTimeout: disconnectMsMax,
    socketTimeout: silenceMsMax,
    retryStrategy: (times) => Math.min(25 * 2 ** times, retryMsMax),
    // Nothing is kept for later, or sent again: who asked has gone on without an answer.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: true,
  });
}

function end(client: RedisClient): Promise<void> {
  return new Promise((resolve) => {
    const isBetween = client.status === "reconnecting" || client.status === "end";
    client.once("end", () => resolve());
    client.disconnect();
    // There is no connection whose end could be waited for.
    if (isBetween) resolve();
  });
}
