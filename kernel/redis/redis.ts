// One connection to the store that several processes share (Valkey or Redis), made to be lost.
//
// Nothing that guards money or identity is in there, so everybody who uses it can go on without it, and must
// be able to quickly: while it is down a question fails at once and is not kept for later, and one that gets no
// answer fails within `answerMsMax`. That one failure closes the way for all others (a store that hangs would
// otherwise cost each request this long), until the store has answered a PING on the same connection.
//
// Time is counted in looks, not read from a clock: a clock that is set back would make a question wait for hours.

import { Redis as Client } from "ioredis";
import type { Clock, Logger } from "../base/index.ts";
import { createPatience } from "./patience.ts";
import { RedisDown } from "./redis-down.ts";

/** The client as the library has it. Its commands are not bounded in time by themselves: use `ask`. */
export type RedisClient = Client;

export interface RedisOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. Never logged. */
  url: string;
  /** Names the connection in the store's list of clients. */
  name: string;
  clock: Clock;
  log: Logger;
}

export interface Redis {
  /** Whether a question would be sent now. */
  isUp(): boolean;
  /**
   * Answers what `run` answers. Rejects with RedisDown at once while the store is down, and within 100 ms when it
   * does not answer; what was sent may still have its effect then. What the store itself refuses is rejected as it is.
   */
  ask<T>(run: (client: RedisClient) => Promise<T>): Promise<T>;
  /** A connection of its own, for who listens to messages: it connects again by itself, and is closed with this one. */
  connect(): RedisClient;
  /** The time of one write there and back, in ms. A store that is full or read-only answers a PING, and is no use. */
  ping(): Promise<number>;
  /** Ends every connection; what waits for an answer is rejected. Safe to repeat. */
  close(): Promise<void>;
}

const answerMsMax = 100;
/** A connection on which nothing comes for this long, although something was asked, is given up and made again. */
const silenceMsMax = 1_000;
const connectMsMax = 1_000;
const disconnectMsMax = 200;
const retryMsMax = 500;
const pingTtlMs = 10_000;

/** Resolves when the first attempt to connect has ended, well or badly: without the store everything else can start. */
export async function openRedis(options: RedisOptions): Promise<Redis> {
  const redis = createRedis(options);
  await redis.tried;
  return redis;
}

function createRedis({ url, name, clock, log }: RedisOptions): Redis & { tried: Promise<void> } {
  const client = createClient(url, name);
  const clients = [client];
  let silent = false;
  let known: "up" | "down" | undefined;
  let reason = "";
  let closing: Promise<void> | undefined;
  const isUp = () => client.status === "ready" && !silent;

  const patience = createPatience(clock, answerMsMax, () => {
    reason = `no answer within ${answerMsMax} ms`;
    silent = true;
    // Answered, or rejected because the connection was given up: then its successor says when it is ready.
    void client.ping().then(heard, heard);
    tell();
  });
  const heard = () => {
    silent = false;
    tell();
  };
  const tell = () => {
    const now = isUp() ? "up" : "down";
    if (now === known || closing !== undefined) return;
    if (now === "down") log.warn({ reason }, "The shared store is down: this process goes on by itself");
    else if (known === "down") log.info({}, "The shared store is back");
    known = now;
  };

  client.on("error", (error: Error) => (reason = withoutSecrets(error)));
  client.on("ready", tell);
  client.on("close", tell);
  const tried = new Promise<void>((resolve) => {
    client.once("ready", resolve);
    client.once("close", resolve);
  });

  const ask = <T>(run: (of: RedisClient) => Promise<T>): Promise<T> =>
    isUp() ? patience.wait(run(client)) : Promise.reject(new RedisDown());
  return {
    tried,
    isUp,
    ask,
    connect() {
      const further = client.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null });
      further.on("error", () => {});
      clients.push(further);
      return further;
    },
    async ping() {
      const startMs = clock.nowMs();
      await ask((asked) => asked.set("ashlar:ping", "1", "PX", pingTtlMs));
      return clock.nowMs() - startMs;
    },
    close() {
      closing ??= Promise.all(clients.map(end)).then(() => {});
      patience.end();
      return closing;
    },
  };
}

function createClient(url: string, name: string): RedisClient {
  return new Client(url, {
    connectionName: name,
    connectTimeout: connectMsMax,
    disconnectTimeout: disconnectMsMax,
    socketTimeout: silenceMsMax,
    retryStrategy: (times) => Math.min(25 * 2 ** times, retryMsMax),
    // A replica that was a primary until a moment ago refuses writes: whoever the address leads to now is asked.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
    // Nothing is kept for later: who asked has gone on without an answer.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: true,
  });
}

/** The library hangs the command that failed on an error, AUTH with its password too. */
function withoutSecrets(error: Error): string {
  return error.message === "" ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
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
