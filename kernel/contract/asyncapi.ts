// The AsyncAPI 3.0 document of a system: which events there are, who announces and who wants them.

import type { EventType } from "./event.ts";
import type { DocumentInfo } from "./openapi/openapi.ts";
import { exampleOf } from "./openapi/example.ts";
import { documented, pascalCase } from "./openapi/schema.ts";
import { type Fields, id, integer, moment, object, optional, schemaOf, text, type TSchema } from "./schema.ts";
import type { ServiceContract } from "./service.ts";

/** A channel per type of event, a `send` per announcing and a `receive` per subscribing service. */
export function asyncApi(services: readonly ServiceContract[], info: DocumentInfo): Record<string, unknown> {
  const declared = new Map(services.flatMap(({ events }) => events.map((event) => [event.type, event] as const)));
  const types = [...new Set([...declared.keys(), ...services.flatMap(({ subscribes }) => subscribes)])].toSorted();
  const { license } = info;
  // AsyncAPI 3.0 does not know SPDX identifiers.
  const { identifier: _identifier, ...plainLicense } = license ?? { name: "" };
  return {
    asyncapi: "3.0.0",
    info: {
      ...info,
      description: [...(info.description === undefined ? [] : [info.description]), conventions].join("\n\n"),
      ...(license && { license: plainLicense }),
      tags: services.map(({ name }) => ({ $ref: `#/components/tags/${name}` })),
    },
    defaultContentType: "application/json",
    channels: Object.fromEntries(types.map((type) => [type, channel(type, declared.get(type))])),
    operations: Object.fromEntries(services.flatMap(operationsOf)),
    components: {
      messages: Object.fromEntries(types.map((type) => [messageName(type), message(type, declared.get(type))])),
      tags: Object.fromEntries(services.map(({ name, summary }) => [name, { name, description: summary }])),
    },
  };
}

const conventions = `Every event comes in the same envelope: \`id\` is the same when the event is delivered again, \`aggregateId\` names what it is about, and \`version\` is that of the aggregate after the change. Events of one aggregate arrive in the order of its changes; across aggregates there is none. Each arrives at least once. New properties may be added to \`data\`: ignore what you do not know. A change that would break subscribers is made as a new type.`;

function channel(type: string, event: EventType | undefined): object {
  const name = messageName(type);
  return {
    address: type,
    description: `${event?.summary ?? "Declared by a service outside this document"}. In order per aggregate, at least once.`,
    messages: { [name]: { $ref: `#/components/messages/${name}` } },
  };
}

function operationsOf({ name, events, subscribes }: ServiceContract): [string, object][] {
  const operation = (action: "send" | "receive", verb: string, type: string): [string, object] => [
    `${name}${verb}${pascalCase(type)}`,
    {
      action,
      channel: { $ref: `#/channels/${type}` },
      summary: `${name} ${action === "send" ? "announces" : "handles"} ${type}`,
      description:
        action === "send"
          ? "In the transaction of the change it tells of."
          : "More than one delivery has the effect of one.",
      tags: [{ $ref: `#/components/tags/${name}` }],
      messages: [{ $ref: `#/channels/${type}/messages/${messageName(type)}` }],
    },
  ];
  return [
    ...events.map(({ type }) => operation("send", "Sends", type)),
    ...subscribes.map((type) => operation("receive", "Receives", type)),
  ];
}

function message(type: string, event: EventType | undefined): object {
  const envelope = envelopeOf(type, event);
  const example = exampleOf(envelope);
  return {
    name: type,
    title: pascalCase(type),
    summary: event?.summary ?? "Declared by a service outside this document",
    contentType: "application/json",
    payload: documented(envelope),
    ...(example === undefined ? {} : { examples: [{ name: messageName(type), payload: example }] }),
  };
}

/** The envelope as it leaves the system. An event of an unknown service may carry anything. */
function envelopeOf(type: string, event: EventType | undefined): TSchema {
  const fields = {
    id: id("evt", { description: "The same when the event is delivered again" }),
    type: { const: type, type: "string" } as unknown as TSchema,
    aggregateId: event ? id(event.aggregate) : text({ max: 128 }),
    timestamp: moment(),
    version: optional(integer({ min: 1, description: "Of the aggregate after the change, where it has one" })),
    traceparent: optional(
      text({ max: 55, pattern: "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$", examples: [exampleTrace] }),
    ),
    data: event?.data ?? { type: "object" },
  } satisfies Fields;
  return schemaOf(object(fields));
}

const exampleTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** `order.created` becomes `orderCreated`. */
function messageName(type: string): string {
  const name = pascalCase(type);
  return `${name[0]!.toLowerCase()}${name.slice(1)}`;
}
