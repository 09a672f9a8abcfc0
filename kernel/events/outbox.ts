// The outbox: an event is a row, written in the transaction that makes it true.
//
// Neither can exist without the other, whatever dies in between. Who wants the event is decided here,
// when it is emitted: a service that subscribes later does not hear what was said before.
//
// Order per aggregate is the order of `seq`, so emit after the row of the aggregate was written: its lock
// makes the second writer's event come second. Two transactions that emit for one aggregate without
// touching a common row have no order to keep, and are delivered in the order in which they commit.

import { type Clock, type Random, timestamp, uuidv7 } from "../base/index.ts";
import { compileValidator, type Envelope, errors, type EventType, Failure, type Validate } from "../contract/index.ts";
import type { Tx } from "../data/index.ts";
import { eventId } from "./envelope.ts";
import { eventDataBytesMax } from "./limits.ts";

export interface OutboxOptions {
  /** The services whose contract subscribes to a type of event. */
  subscribersOf: (type: string) => readonly string[];
  /** Called after each commit that leaves something to deliver: `(subscribers) => relay.wake(subscribers)`. */
  wake?: (subscribers: readonly string[]) => void;
  clock: Clock;
  random: Random;
}

export interface Emission<D> {
  aggregateId: string;
  /** The version of the aggregate after the change, where it has one. */
  version?: number;
  traceparent?: string;
  data: D;
}

export interface Outbox {
  /**
   * Announces a fact in the caller's transaction; a rollback announces nothing.
   * Data or an aggregate that its contract does not declare is a mistake of the emitter: a plain Error. Data that is
   * declared and larger than `eventDataBytesMax` is refused with 413, and so is what it would have announced.
   */
  emit<D>(tx: Tx, eventType: EventType<D>, emission: Emission<D>): Promise<Envelope<D>>;
}

export function createOutbox(options: OutboxOptions): Outbox {
  const validators = new Map<EventType, Validate>();
  const insert = insertTogether();
  return {
    async emit(tx, eventType, emission) {
      check(validators, eventType, emission);
      const uuid = uuidv7(options.clock, options.random);
      const envelope = {
        id: eventId(uuid),
        type: eventType.type,
        aggregateId: emission.aggregateId,
        timestamp: timestamp(options.clock.nowMs()),
        ...(emission.version === undefined ? {} : { version: emission.version }),
        ...(emission.traceparent === undefined ? {} : { traceparent: emission.traceparent }),
        data: emission.data,
      };
      const data = JSON.stringify(emission.data);
      checkSize(eventType, data);
      const subscribers = options.subscribersOf(eventType.type);
      await insert(tx, rowOf(uuid, envelope, data, subscribers));
      if (subscribers.length > 0) tx.afterCommit(() => options.wake?.(subscribers));
      return envelope;
    },
  };
}

/** What is emitted at one moment in one transaction is one statement, in the order of the calls. */
function insertTogether(): (tx: Tx, row: string) => Promise<void> {
  const open = new WeakMap<Tx, { rows: string[]; sent: Promise<void> }>();
  return (tx, row) => {
    const joined = open.get(tx);
    if (joined !== undefined) {
      joined.rows.push(row);
      return joined.sent;
    }
    const rows = [row];
    const sent = Promise.resolve().then(async () => {
      open.delete(tx);
      await tx.query(insertEvents, [`[${rows.join()}]`]);
    });
    open.set(tx, { rows, sent });
    return sent;
  };
}

/** As JSON, with the data as it is: it was made into text to be measured. */
function rowOf(uuid: string, envelope: Envelope, data: string, subscribers: readonly string[]): string {
  const { type, aggregateId, version, traceparent, timestamp: createdAt } = envelope;
  const rest = { id: uuid, type, aggregate_id: aggregateId, version, traceparent, created_at: createdAt, subscribers };
  return `{"data":${data},${JSON.stringify(rest).slice(1)}`;
}

const insertEvents = {
  name: "ashlar_outbox_insert",
  text: `
    with event as (
      insert into ashlar.outbox (id, type, aggregate_id, version, traceparent, data, created_at, subscribers)
      select id, type, aggregate_id, version, traceparent, data, created_at, subscribers
      from json_to_recordset($1::json) as e (
        id uuid, type text, aggregate_id text, version integer, traceparent text, data jsonb, created_at timestamptz, subscribers text[]
      )
      returning seq, aggregate_id, subscribers
    )
    insert into ashlar.pending (subscriber, seq, aggregate_id)
    select subscriber, seq, aggregate_id from event, unnest(subscribers) as subscriber`,
};

function check(validators: Map<EventType, Validate>, eventType: EventType, emission: Emission<unknown>): void {
  let validate = validators.get(eventType);
  if (validate === undefined) validators.set(eventType, (validate = compileValidator(eventType.data)));
  const wrong = validate(emission.data).map(({ field, message }) => `${field} ${message}`);
  if (wrong.length > 0)
    throw new Error(
      `The data of ${eventType.type} breaks its contract: ${wrong.join(", ")}. Correct the emitter or the contract.`,
    );
  if (!emission.aggregateId.startsWith(`${eventType.aggregate}_`)) {
    throw new Error(
      `${eventType.type} is about ${eventType.aggregate}_..., but was emitted for ${emission.aggregateId}. Pass the id as it is seen outside.`,
    );
  }
}

function checkSize(eventType: EventType, data: string): void {
  const bytes = Buffer.byteLength(data);
  if (bytes > eventDataBytesMax)
    throw new Failure(
      errors.payloadTooLarge,
      `${eventType.type} would announce ${bytes} bytes; it may be at most ${eventDataBytesMax}`,
    );
}
