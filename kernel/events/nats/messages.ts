// What travels: an event with the address for its outcome, and the outcome. Both are sealed, and whatever does
// not look like this is refused, never thrown about.

import { headers, type MsgHdrs } from "@nats-io/transport-node";
import { decodeId } from "../../base/index.ts";
import type { Envelope } from "../../contract/index.ts";
import type { Outcome } from "../bus.ts";
import type { Names } from "./names.ts";
import type { Seal } from "./seal.ts";

/** How a subscriber answers; `failed` when it could not deal with the event at all. */
export type Answer = Outcome | { id: string; state: "failed"; reason: string };

export interface Addressed {
  event: Envelope;
  /** One event on its way to one subscriber, once: a repeat has another. Not to be guessed. */
  delivery: string;
  /** The process that waits for the answer. */
  sender: string;
}

interface Received {
  readonly subject: string;
  readonly headers?: MsgHdrs | undefined;
  readonly data: Uint8Array;
}

const header = { delivery: "Ashlar-Delivery", sender: "Ashlar-Sender", seal: "Ashlar-Seal" };
/** 128 bits, or an id of ours; what else is refused before anything is done with it. */
const tokenPattern = /^[A-Za-z0-9_-]{20,64}$/;

export function headersOf(
  seal: Seal,
  { subject, delivery, sender, payload }: { subject: string; delivery: string; sender: string; payload: Uint8Array },
): MsgHdrs {
  const made = headers();
  made.set(header.delivery, delivery);
  made.set(header.sender, sender);
  made.set(header.seal, seal.of("event", subject, delivery, sender, payload));
  return made;
}

export function readEvent(seal: Seal, names: Names, subscriber: string, message: Received): Addressed | undefined {
  try {
    const delivery = message.headers?.get(header.delivery) ?? "";
    const sender = message.headers?.get(header.sender) ?? "";
    if (!tokenPattern.test(delivery) || !tokenPattern.test(sender)) return undefined;
    const sealed = message.headers?.get(header.seal) ?? "";
    if (!seal.holds(sealed, "event", message.subject, delivery, sender, message.data)) return undefined;
    const event = JSON.parse(Buffer.from(message.data).toString()) as Envelope;
    if (!isEnvelope(event) || names.eventSubject(subscriber, event.type) !== message.subject) return undefined;
    return { event, delivery, sender };
  } catch {
    return undefined;
  }
}

export function writeAnswer(seal: Seal, delivery: string, answer: Answer) {
  const payload = Buffer.from(JSON.stringify({ delivery, answer }));
  const made = headers();
  made.set(header.seal, seal.of("answer", payload));
  return { payload, headers: made };
}

export function readAnswer(seal: Seal, message: Received): { delivery: string; answer: Answer } | undefined {
  try {
    if (!seal.holds(message.headers?.get(header.seal) ?? "", "answer", message.data)) return undefined;
    const read = JSON.parse(Buffer.from(message.data).toString()) as { delivery: string; answer: Answer };
    return typeof read.delivery === "string" && isAnswer(read.answer) ? read : undefined;
  } catch {
    return undefined;
  }
}

function isEnvelope(value: Envelope): boolean {
  const texts = [value.id, value.type, value.aggregateId, value.timestamp];
  return texts.every((text) => typeof text === "string") && decodeId("evt", value.id) !== undefined && "data" in value;
}

function isAnswer(value: Answer): boolean {
  if (typeof value.id !== "string") return false;
  if (value.state === "confirmed") return true;
  if (typeof value.reason !== "string") return false;
  return value.state === "failed" || (value.state === "retry" && Number.isFinite(value.afterMs));
}
