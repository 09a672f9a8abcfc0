// The bus carries events from a relay to a subscriber and the subscriber's answers back.
//
// It owes no durability: the outbox keeps a row until the subscriber's inbox confirmed it, so a bus may
// lose, repeat or delay, but not change, events. Every bus passes the suite in bus-suite.ts.

import { type Envelope, errors, Failure } from "../contract/index.ts";

/** What became of an event. Confirmed: its effect, or its dead letter, is committed by the subscriber. */
export type Outcome =
  | { id: string; state: "confirmed" }
  | { id: string; state: "retry"; afterMs: number; reason: string };

export type Receive = (events: Envelope[]) => Promise<Outcome[]>;

export interface Bus {
  readonly name: string;
  /**
   * Hands events over, in order, and says what became of each. Rejects when the subscriber was not reached, and may
   * when `signal` says that nobody waits for the answer any more.
   */
  deliver(subscriber: string, events: Envelope[], signal?: AbortSignal): Promise<Outcome[]>;
  /** Receives what is for `subscriber` until the returned function is called. */
  subscribe(subscriber: string, receive: Receive): () => void;
  /** Milliseconds to the bus and back, where it is something that can be away. */
  ping?(): Promise<number>;
  /** Ends what it holds open, where it holds something. After everybody has left. */
  close?(): Promise<void>;
}

/**
 * The bus that needs no server: the outbox in PostgreSQL is the queue. In one process handing over is a
 * function call, through JSON both ways, so that neither side can touch the other's objects; subscribers in
 * other processes are handed to by `remote`.
 */
export function createPostgresBus(remote: ReadonlyMap<string, Receive> = new Map()): Bus {
  const receivers = new Map<string, Receive>();
  return {
    name: "postgres",
    async deliver(subscriber, events) {
      const receive = remote.get(subscriber) ?? receivers.get(subscriber);
      if (receive === undefined) throw new Failure(errors.unavailable, `Service ${subscriber} is not receiving events`);
      return copy(await receive(copy(events)));
    },
    subscribe(subscriber, receive) {
      if (receivers.has(subscriber))
        throw new Error(`Service ${subscriber} already receives events. Subscribe once, in the inbox.`);
      receivers.set(subscriber, receive);
      return () => {
        if (receivers.get(subscriber) === receive) receivers.delete(subscriber);
      };
    },
  };
}

function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
