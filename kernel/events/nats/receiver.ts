// The subscriber's side: takes events from the stream, gives them to the inbox, and answers.
//
// Answer first, then tell the stream: who dies in between has the message given out again, and the inbox makes
// that harmless. Whether an event is tried again, and when, is the relay's business alone: a message that was
// answered is done with, whatever the answer. The stream repeats only what its receiver died over.

import type { JsMsg } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock, Logger, Random } from "../../base/index.ts";
import type { Envelope } from "../../contract/index.ts";
import { backoffMs } from "../backoff.ts";
import { type Bell, createBell } from "../bell.ts";
import type { Receive } from "../bus.ts";
import { reasonOf } from "../dead-letters.ts";
import { createTrouble, type Trouble } from "../trouble.ts";
import type { NatsLimits } from "./limits.ts";
import { type Addressed, type Answer, readEvent, writeAnswer } from "./messages.ts";
import type { Names } from "./names.ts";
import type { Seal } from "./seal.ts";
import type { Stream } from "./stream.ts";

export interface ReceiverParts {
  subscriber: string;
  receive: Receive;
  names: Names;
  stream: Stream;
  seal: Seal;
  limits: NatsLimits;
  clock: Clock;
  random: Random;
  log: Logger;
}

interface Receiver extends ReceiverParts {
  readonly leaving: AbortController;
  readonly inHand: Set<Promise<void>>;
  readonly bell: Bell;
  readonly pulling: Trouble;
  readonly strangers: Trouble;
}

export interface Receiving {
  /** Takes events from a new connection until it ends. */
  up(nats: NatsConnection): void;
  /** Takes nothing new from now on. */
  leave(): void;
  /** Resolves when what is in hand is answered. */
  idle(): Promise<unknown>;
}

export function createReceiver(parts: ReceiverParts): Receiving {
  const log = parts.log.child({ subscriber: parts.subscriber });
  const receiver: Receiver = {
    ...parts,
    leaving: new AbortController(),
    inHand: new Set(),
    bell: createBell(parts.clock),
    pulling: createTrouble(log, `Taking events for ${parts.subscriber} from NATS`),
    strangers: createTrouble(log, `Believing what comes for ${parts.subscriber} from NATS`),
  };
  return {
    up: (nats) => void pullUntilEnd(receiver, nats),
    leave: () => receiver.leaving.abort(),
    idle: () => Promise.all(receiver.inHand),
  };
}

/** Never rejects. */
async function pullUntilEnd(receiver: Receiver, nats: NatsConnection): Promise<void> {
  const { leaving, pulling, limits, clock, random, stream } = receiver;
  const over = new AbortController();
  const ends = AbortSignal.any([over.signal, leaving.signal]);
  void nats.closed().then(() => over.abort());
  while (!ends.aborted) {
    try {
      const consumer = await stream.consumer(nats, receiver.subscriber);
      while (!ends.aborted) {
        await pullOnce(receiver, nats, consumer, ends);
        pulling.over();
      }
    } catch (error) {
      if (ends.aborted) return;
      stream.forget();
      pulling.failed(error);
      const range = { minMs: limits.pauseMinMs, maxMs: limits.pauseMaxMs, random };
      await clock.sleep(backoffMs(pulling.failures, range), ends);
    }
  }
}

type Consumer = Awaited<ReturnType<Stream["consumer"]>>;

async function pullOnce(receiver: Receiver, nats: NatsConnection, consumer: Consumer, ends: AbortSignal) {
  const { inHand, limits, bell } = receiver;
  // Half of the room at least, so that a busy receiver does not ask for one message at a time.
  while (inHand.size > limits.inHandMax / 2 && !ends.aborted) await bell.wait(limits.pullMs);
  if (ends.aborted) return;
  const messages = await consumer.fetch({ max_messages: limits.inHandMax - inHand.size, expires: limits.pullMs });
  const stop = () => messages.stop();
  ends.addEventListener("abort", stop);
  if (ends.aborted) stop();
  try {
    for await (const message of messages) {
      // Given out while this one was leaving: somebody else may have it at once.
      if (ends.aborted) message.nak();
      else hold(receiver, nats, message);
    }
  } finally {
    ends.removeEventListener("abort", stop);
  }
}

function hold(receiver: Receiver, nats: NatsConnection, message: JsMsg): void {
  const held = deal(receiver, nats, message)
    .catch((error: unknown) => receiver.log.warn({ err: error }, "An event could not be answered and comes again"))
    .finally(() => {
      receiver.inHand.delete(held);
      receiver.bell.ring();
    });
  receiver.inHand.add(held);
}

async function deal(receiver: Receiver, nats: NatsConnection, message: JsMsg): Promise<void> {
  const { seal, names, subscriber, strangers } = receiver;
  const addressed = readEvent(seal, names, subscriber, message);
  if (addressed === undefined) {
    strangers.failed(
      new Error("A message that no process of this system with this secret has sent; it is thrown away"),
    );
    message.term();
    return;
  }
  strangers.over();
  const answer = await working(receiver, nats, message, () => answerOf(receiver, addressed.event));
  // Without a connection there is nobody to answer: the message comes again.
  if (!nats.isClosed()) reply(receiver, nats, message, addressed, answer);
}

async function answerOf({ receive }: Receiver, event: Envelope): Promise<Answer> {
  try {
    const outcome = (await receive([event])).find(({ id }) => id === event.id);
    return outcome ?? { id: event.id, state: "failed", reason: "The receiver said nothing about it" };
  } catch (error) {
    return { id: event.id, state: "failed", reason: reasonOf(error) };
  }
}

function reply(
  { seal, names }: Receiver,
  nats: NatsConnection,
  message: JsMsg,
  { delivery, sender }: Addressed,
  answer: Answer,
): void {
  const { payload, headers } = writeAnswer(seal, delivery, answer);
  nats.publish(names.outcomeSubject(sender), payload, { headers });
  message.ack();
}

/** Tells the stream meanwhile that the message is being worked on. */
async function working<T>(
  { clock, limits }: Receiver,
  nats: NatsConnection,
  message: JsMsg,
  run: () => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const tell = async () => {
    for (;;) {
      await clock.sleep(limits.ackWaitMs / 3, done.signal);
      if (done.signal.aborted || nats.isClosed()) return;
      message.working();
    }
  };
  void tell().catch(() => {});
  try {
    return await run();
  } finally {
    done.abort("ended");
  }
}
