import type { Static, TSchema } from "./schema.ts";

/** A fact that a service announces. `aggregate` is the id prefix of what it is about. */
export interface EventType<D = unknown> {
  readonly kind: "event";
  readonly type: string;
  readonly aggregate: string;
  readonly summary: string;
  readonly data: TSchema;
  /** Types only. */
  readonly "~data"?: D;
}

/**
 * Declares an event: `event("order.created", { aggregate: "ord", data: object({...}) })`.
 * Events of one aggregate reach a subscriber in the order they were emitted; across aggregates there is none.
 */
export function event<S extends TSchema>(
  type: string,
  spec: { aggregate: string; summary: string; data: S },
): EventType<Static<S>> {
  if (!/^[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)+$/.test(type))
    throw new Error(
      `"${type}" is not an event type. Write it as noun.verb in the past tense, in small letters: credit_note.paid.`,
    );
  return { kind: "event", type, ...spec };
}

/** What subscribers and other systems see (the specification's envelope). */
export interface Envelope<D = unknown> {
  readonly id: string;
  readonly type: string;
  readonly aggregateId: string;
  readonly timestamp: string;
  /** The version of the aggregate after the change, where it has one. */
  readonly version?: number;
  readonly traceparent?: string;
  readonly data: D;
}
