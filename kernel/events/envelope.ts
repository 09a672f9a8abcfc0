import { decodeId, encodeId, timestamp } from "../base/index.ts";
import type { Envelope } from "../contract/index.ts";
import type { Row } from "../data/index.ts";

/** A row of `ashlar.outbox`, as far as an envelope needs it. */
export interface EventRow extends Row {
  seq: number | string;
  id: string;
  type: string;
  aggregate_id: string;
  version: number | null;
  traceparent: string | null;
  data: unknown;
  created_at: string;
}

export const eventColumns = "o.seq, o.id, o.type, o.aggregate_id, o.version, o.traceparent, o.data, o.created_at";

export function envelopeOf(row: EventRow): Envelope {
  return {
    id: eventId(row.id),
    type: row.type,
    aggregateId: row.aggregate_id,
    // In milliseconds always, so that `emit` and every later reader see the same text.
    timestamp: timestamp(Date.parse(row.created_at)),
    ...(row.version === null ? {} : { version: row.version }),
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    data: row.data,
  };
}

/** `evt_...` of the uuid in the tables. */
export function eventId(uuid: string): string {
  return encodeId("evt", uuid);
}

/** The uuid of `evt_...`. */
export function eventUuid(id: string): string {
  const uuid = decodeId("evt", id);
  if (uuid === undefined)
    throw new Error(`"${id.slice(0, 64)}" is not the id of an event. It looks like evt_01h455vb4pex5vsknk084sn02q.`);
  return uuid;
}
