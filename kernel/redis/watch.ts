// Whether the store is of use: it is connected, answers in time, and takes writes.
//
//   up -> down   the connection is lost; an answer is late; a write is refused (full, or read-only)
//   down -> up   one small write was answered in time
//
// A PING would say less: a full store answers it, and so does a replica that was the primary a moment ago.

import type { Redis as Client } from "ioredis";
import type { Clock, Logger } from "../base/index.ts";

export interface Watch {
  isUp(): boolean;
  /** The store is of no use, for this reason, until a write has shown otherwise. */
  fall(reason: string): void;
  /** When it is known for the first time. */
  readonly decided: Promise<void>;
  /** Says no more: what happens from now on is the end. */
  end(): void;
}

interface WatchOptions {
  client: Client;
  clock: Clock;
  log: Logger;
  answerMsMax: number;
}

/** Between two writes that are refused. */
const refusedMs = 500;
const probeTtlMs = 10_000;

export function createWatch({ client, clock, log, answerMsMax }: WatchOptions): Watch {
  const ended = new AbortController();
  const decided = Promise.withResolvers<void>();
  let state: "unknown" | "up" | "down" = "unknown";
  let probing = false;
  let lastError: string | undefined;

  const rise = () => {
    if (state === "down") log.info({}, "The shared store is back");
    state = "up";
    decided.resolve();
  };
  const fall = (reason: string) => {
    if (state === "down" || ended.signal.aborted) return;
    log.warn({ reason }, "The shared store is down: this process goes on by itself");
    state = "down";
    decided.resolve();
    void probe();
  };
  const isOpen = () => client.status === "ready" && state !== "up" && !ended.signal.aborted;
  /** Ends with the first success, or with the connection: the next one begins anew. */
  const probe = async () => {
    if (probing) return;
    probing = true;
    while (isOpen()) {
      const startMs = clock.nowMs();
      const refused = await write(client).then(() => undefined, messageOf);
      if (client.status !== "ready") break;
      if (refused === undefined && clock.nowMs() - startMs <= answerMsMax) rise();
      if (refused === undefined) continue;
      fall(refused);
      await clock.sleep(refusedMs, ended.signal);
      // Somebody else may be behind the address by now.
      if (refused.startsWith("READONLY")) client.disconnect(true);
    }
    probing = false;
  };

  client.on("error", (error: Error) => (lastError = messageOf(error)));
  client.on("ready", () => {
    lastError = undefined;
    void probe();
  });
  client.on("close", () => fall(lastError ?? "the connection was closed"));
  return {
    isUp: () => state === "up" && !ended.signal.aborted,
    fall,
    decided: decided.promise,
    end: () => ended.abort(),
  };
}

export async function write(client: Client): Promise<void> {
  await client.set("ashlar:ping", "1", "PX", probeTtlMs);
}

/** The message alone: the library hangs the command on an error, AUTH with its password too. */
export function messageOf(error: Error): string {
  return error.message === "" ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
}
