// Events: announced in the transaction that makes them true, delivered until confirmed, effective once.

// On the side of the emitter.
export { createOutbox, type Emission, type Outbox, type OutboxOptions } from "./outbox.ts";
export { createRelay, type Relay, type RelayOptions } from "./relay.ts";

// In between.
export { createPostgresBus, type Bus, type Outcome, type Receive } from "./bus.ts";
export { createNatsBus } from "./nats/load.ts";
export type { NatsBus, NatsBusOptions } from "./nats/nats-bus.ts";
export { readNatsUrl } from "./nats/nats-url.ts";

// On the side of the subscriber.
export { createInbox, type EventHandler, type EventsHandler, type Inbox, type InboxOptions } from "./inbox.ts";

// The bounds of both, with their defaults.
export { inboxLimits, relayLimits, type InboxLimits, type RelayLimits } from "./limits.ts";

// For operators.
export {
  dropDead,
  listDead,
  listEvents,
  replayDead,
  type DeadLetter,
  type EventFilter,
  type ListedEvent,
} from "./admin.ts";
export { toCloudEvent, type CloudEvent } from "./cloudevents.ts";

/** The tables of this folder, for `migrate`. */
export const eventMigrations = { name: "ashlar.events", directory: new URL("./migrations/", import.meta.url) };
