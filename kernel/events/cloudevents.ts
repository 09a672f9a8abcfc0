import type { Envelope } from "../contract/index.ts";

/** An event as CloudEvents 1.0 JSON writes it, with the distributed tracing extension. */
export interface CloudEvent<D = unknown> {
  specversion: "1.0";
  id: string;
  source: string;
  type: string;
  subject: string;
  time: string;
  datacontenttype: "application/json";
  traceparent?: string;
  /** An extension of ours; extension names are lower case without separators. */
  aggregateversion?: number;
  data: D;
}

/** `source` is the URI reference of the emitter; with `id` it identifies the event everywhere. */
export function toCloudEvent<D>(envelope: Envelope<D>, source: string): CloudEvent<D> {
  return {
    specversion: "1.0",
    id: envelope.id,
    source,
    type: envelope.type,
    subject: envelope.aggregateId,
    time: envelope.timestamp,
    datacontenttype: "application/json",
    ...(envelope.traceparent === undefined ? {} : { traceparent: envelope.traceparent }),
    ...(envelope.version === undefined ? {} : { aggregateversion: envelope.version }),
    data: envelope.data,
  };
}
