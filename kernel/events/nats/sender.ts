// The relay's side: an event goes into the stream, and its outcome is waited for.
//
// Each sending of an event is a delivery with an id of its own, which is what the stream recognises a message
// by. So the dedup window swallows a message that was stored, but whose receipt got lost, and never one that
// is sent again on purpose: after a lost outcome, after a refusal, into a stream that was wiped.

import type { Msg, NatsConnection } from "@nats-io/transport-node";
import type { Clock, Logger, Random } from "../../base/index.ts";
import { type Envelope, errors, Failure } from "../../contract/index.ts";
import type { Outcome } from "../bus.ts";
import { createSlots } from "../slots.ts";
import type { NatsLimits } from "./limits.ts";
import { type Answer, headersOf, readAnswer } from "./messages.ts";
import type { Names } from "./names.ts";
import type { Seal } from "./seal.ts";
import type { Stream } from "./stream.ts";

export interface SenderParts {
  names: Names;
  stream: Stream;
  seal: Seal;
  limits: NatsLimits;
  clock: Clock;
  random: Random;
  log: Logger;
}

export interface Sender {
  deliver(nats: NatsConnection, subscriber: string, events: Envelope[], signal?: AbortSignal): Promise<Outcome[]>;
  /** Hears outcomes on a new connection. */
  up(nats: NatsConnection): void;
  /** Rejects whatever waits: what was on its way may have arrived or not, and is sent again. */
  down(): void;
}

interface Waiting {
  readonly eventId: string;
  settle(answer: Answer): void;
  reject(error: unknown): void;
}

/** An event ready to go. */
interface Address {
  readonly event: Envelope;
  readonly subject: string;
  readonly payload: Uint8Array;
}

/** What a message needs beside the event: its subject, its headers and the protocol. */
const overheadBytes = 2_048;

export function createSender(parts: SenderParts): Sender {
  const { names, stream, seal, limits, clock, random, log } = parts;
  const sender = tokenFrom(random);
  const waiting = new Map<string, Waiting>();
  const inSlot = createSlots(limits.publishesMax);

  /** Resolves with what the subscriber says; rejects when it said nothing or could not. */
  const send = async (nats: NatsConnection, to: Address, giveUp: AbortSignal) => {
    const delivery = tokenFrom(random);
    const answered = Promise.withResolvers<Answer>();
    answered.promise.catch(() => {});
    const onGiveUp = () => answered.reject(giveUp.reason);
    waiting.set(delivery, { eventId: to.event.id, settle: answered.resolve, reject: answered.reject });
    giveUp.addEventListener("abort", onGiveUp);
    try {
      giveUp.throwIfAborted();
      // The answer may be here before the stream's receipt, and is worth more.
      await Promise.race([inSlot(() => publish(nats, to, delivery)), answered.promise]);
      return await answered.promise;
    } finally {
      waiting.delete(delivery);
      giveUp.removeEventListener("abort", onGiveUp);
    }
  };

  const publish = async (nats: NatsConnection, { subject, payload }: Address, delivery: string) => {
    try {
      const client = await stream.open(nats);
      // It waited for its slot, and for the stream: whoever wanted to know may have given up.
      if (!waiting.has(delivery)) return;
      await client.publish(subject, payload, {
        msgID: delivery,
        headers: headersOf(seal, { subject, delivery, sender, payload }),
        timeout: limits.publishTimeoutMs,
        retries: limits.publishTriesMax,
      });
    } catch (error) {
      stream.forget();
      throw error;
    }
  };

  const sendOne = async (nats: NatsConnection, subscriber: string, event: Envelope, giveUp: AbortSignal) => {
    const payload = Buffer.from(JSON.stringify(event));
    const bytesMax = (nats.info?.max_payload ?? 0) - overheadBytes;
    if (payload.length > bytesMax) return tooLarge(event, payload.length, bytesMax);
    const answer = await send(nats, { event, subject: names.eventSubject(subscriber, event.type), payload }, giveUp);
    if (answer.state === "failed") throw new Failure(errors.unavailable, answer.reason);
    return answer;
  };

  // Who emits is held to a bound that every NATS takes as it is installed; this one was set to take less. The
  // event waits, and its aggregate with it, until somebody raises max_payload: nothing is thrown away for a setting.
  const tooLarge = (event: Envelope, bytes: number, bytesMax: number): Outcome => {
    const reason = `The event has ${bytes} bytes, and this NATS takes ${bytesMax}: raise its max_payload`;
    log.error(
      { eventId: event.id, type: event.type, bytes, bytesMax },
      "An event is too large for this NATS and waits",
    );
    return { id: event.id, state: "retry", afterMs: limits.tooLargeRetryMs, reason };
  };

  /** One after the other: the events of an aggregate, each when the one before is confirmed. */
  const sendInOrder = async (nats: NatsConnection, subscriber: string, events: Envelope[], giveUp: AbortSignal) => {
    const outcomes: Outcome[] = [];
    for (const event of events) {
      const refused = outcomes.find((outcome) => outcome.state === "retry");
      if (refused === undefined) outcomes.push(await sendOne(nats, subscriber, event, giveUp));
      else outcomes.push({ ...refused, id: event.id, reason: `behind ${refused.id}` });
    }
    return outcomes;
  };

  return {
    async deliver(nats, subscriber, events, signal) {
      const ended = new AbortController();
      const giveUp = new AbortController();
      const late = new Failure(errors.unavailable, `Service ${subscriber} did not say in time what became of events`);
      void clock.sleep(limits.outcomeTimeoutMs, ended.signal).then(() => giveUp.abort(late));
      const signals = AbortSignal.any(signal === undefined ? [giveUp.signal] : [giveUp.signal, signal]);
      try {
        const aggregates = [...Map.groupBy(events, (event) => event.aggregateId).values()];
        const sent = await Promise.allSettled(aggregates.map((some) => sendInOrder(nats, subscriber, some, signals)));
        return outcomesOf(events, sent);
      } finally {
        ended.abort("ended");
      }
    },
    up(nats) {
      // Never throws: what does so in here ends the reading of the connection.
      const callback = (_: unknown, message: Msg) => {
        const read = readAnswer(seal, message);
        const one = read && waiting.get(read.delivery);
        if (read !== undefined && one?.eventId === read.answer.id) one.settle(read.answer);
      };
      nats.subscribe(names.outcomeSubject(sender), { callback });
    },
    down() {
      for (const one of waiting.values())
        one.reject(new Failure(errors.unavailable, "The connection to NATS was lost"));
    },
  };
}

/** In the order of the events. Those without an outcome are left out; rejects when there is none at all. */
function outcomesOf(events: Envelope[], sent: PromiseSettledResult<Outcome[]>[]): Outcome[] {
  const fulfilled = sent.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  const failure = sent.find((one) => one.status === "rejected");
  if (fulfilled.length === 0 && failure !== undefined) throw failure.reason;
  const byId = new Map(fulfilled.map((outcome) => [outcome.id, outcome]));
  return events.flatMap(({ id }) => byId.get(id) ?? []);
}

function tokenFrom(random: Random): string {
  return Buffer.from(random.bytes(16)).toString("base64url");
}
