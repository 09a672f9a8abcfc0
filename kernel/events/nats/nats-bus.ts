// The bus between processes, through NATS JetStream (docs/decisions/0012-nats-bus.md).
//
// JetStream is trusted with speed: it spreads events over the processes of a subscriber, bounds what each has
// in hand, and gives what one died over to the next. It is not trusted to keep anything: an event leaves the
// outbox when its subscriber's process says, to the process that sent it, that the inbox has committed.

import type { Clock, Logger, Random } from "../../base/index.ts";
import { errors, Failure } from "../../contract/index.ts";
import type { Bus } from "../bus.ts";
import { openConnection } from "./connection.ts";
import { type NatsLimits, natsLimits } from "./limits.ts";
import { namesOf } from "./names.ts";
import { readNatsUrl } from "./nats-url.ts";
import { createReceiver, type Receiving } from "./receiver.ts";
import { createSeal } from "./seal.ts";
import { createSender } from "./sender.ts";
import { createStream } from "./stream.ts";

export interface NatsBusOptions {
  /** `nats://user:password@host:4222`, or `tls://...`; several of one cluster separated by commas. Never logged. */
  url: string;
  /** The name of the system: part of the stream's name and of every subject. */
  system: string;
  /** The same in every process of the system. Who has it can make events that are believed. */
  secret: Uint8Array;
  clock: Clock;
  random: Random;
  log: Logger;
  limits?: Partial<NatsLimits>;
}

export interface NatsBus extends Bus {
  ping(): Promise<number>;
  /** Leaves every subscription, answers what is in hand, ends the connection. Safe to repeat. */
  close(): Promise<void>;
}

/** Resolves when the first attempt to connect has ended, well or badly; while NATS is away deliveries reject at once. */
export async function createNatsBus(options: NatsBusOptions): Promise<NatsBus> {
  const { clock, random, log, system } = options;
  const address = readNatsUrl(options.url);
  if (address === undefined) throw new Error("The address of NATS must be like nats://user:password@host:4222");
  const limits = { ...natsLimits, ...options.limits };
  const names = namesOf(system);
  const stream = createStream(names, limits);
  const parts = { names, stream, seal: createSeal(options.secret), limits, clock, random, log };
  const sender = createSender(parts);
  const receivers = new Map<string, Receiving>();
  /** What a receiver that left still has in hand. */
  const leaving = new Set<Receiving>();

  const connection = await openConnection({
    address,
    name: `ashlar ${system}`,
    limits,
    clock,
    random,
    log,
    up(nats) {
      stream.forget();
      sender.up(nats);
      for (const receiver of receivers.values()) receiver.up(nats);
    },
    down: () => sender.down(),
  });
  const connected = () => {
    const nats = connection.now();
    if (nats === undefined) throw new Failure(errors.unavailable, "NATS is away");
    return nats;
  };
  const leave = (subscriber: string, receiver: Receiving) => {
    if (receivers.get(subscriber) !== receiver) return;
    receivers.delete(subscriber);
    leaving.add(receiver);
    receiver.leave();
    void receiver.idle().then(() => leaving.delete(receiver));
  };
  let closing: Promise<void> | undefined;
  const close = async () => {
    for (const [subscriber, receiver] of receivers) leave(subscriber, receiver);
    const idle = Promise.all([...leaving].map((receiver) => receiver.idle()));
    await within(clock, limits.closeMs, idle);
    await within(clock, limits.answerTimeoutMs, connection.now()?.flush());
    await connection.close();
  };

  return {
    name: "nats",
    deliver: async (subscriber, events, signal) => sender.deliver(connected(), subscriber, events, signal),
    subscribe(subscriber, receive) {
      if (receivers.has(subscriber))
        throw new Error(`Service ${subscriber} already receives events. Subscribe once, in the inbox.`);
      const receiver = createReceiver({ ...parts, subscriber, receive });
      receivers.set(subscriber, receiver);
      const nats = connection.now();
      if (nats !== undefined) receiver.up(nats);
      return () => leave(subscriber, receiver);
    },
    async ping() {
      const startMs = clock.nowMs();
      // Asks for the stream, and makes it when it is gone: a NATS without JetStream answers a PING, and is no use.
      stream.forget();
      await stream.open(connected());
      return clock.nowMs() - startMs;
    },
    close: () => (closing ??= close()),
  };
}

/** Waits, but not for longer, and not for how it ends. */
async function within(clock: Clock, ms: number, work: Promise<unknown> | undefined): Promise<void> {
  const ended = new AbortController();
  await Promise.race([work?.catch(() => {}), clock.sleep(ms, ended.signal)]);
  ended.abort("ended");
}
