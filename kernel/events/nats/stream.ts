// The stream of a system and the durable consumers on it, made when they are not there.
//
// Nothing in the stream is the only copy of anything, so it may be deleted at any time, by anybody: whoever
// stumbles over that makes it again. For the same reason it is kept in memory: a restart that empties it costs one
// repeat of what was on its way, and a disk that is full or slow costs nothing. What an operator chose otherwise
// (files, replicas, placement: make the stream first, or change it) stays.

import {
  AckPolicy,
  type Consumer,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  jetstream,
  type JetStreamClient,
  type JetStreamManager,
  JetStreamApiCodes,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/transport-node";
import type { NatsLimits } from "./limits.ts";
import type { Names } from "./names.ts";

export interface Stream {
  /** Makes the stream unless it is known to be there on this connection. */
  open(nats: NatsConnection): Promise<JetStreamClient>;
  /** The durable consumer of a subscriber, made or changed to what it has to be. */
  consumer(nats: NatsConnection, subscriber: string): Promise<Consumer>;
  /** Something failed: the next `open` looks again. */
  forget(): void;
}

export function createStream(names: Names, limits: NatsLimits): Stream {
  let opened: { nats: NatsConnection; client: Promise<JetStreamClient> } | undefined;
  const managerOf = (nats: NatsConnection) =>
    jetstreamManager(nats, { checkAPI: false, timeout: limits.answerTimeoutMs });

  const make = async (nats: NatsConnection) => {
    await makeStream(await managerOf(nats), names, limits);
    return jetstream(nats, { timeout: limits.publishTimeoutMs });
  };
  const stream: Stream = {
    open(nats) {
      if (opened?.nats !== nats) {
        const client = make(nats);
        const mine = { nats, client };
        client.catch(() => {
          if (opened === mine) opened = undefined;
        });
        opened = mine;
      }
      return opened.client;
    },
    async consumer(nats, subscriber) {
      const client = await stream.open(nats);
      const manager = await managerOf(nats);
      await makeConsumer(manager, names, subscriber, limits);
      return client.consumers.get(names.stream, subscriber);
    },
    forget: () => void (opened = undefined),
  };
  return stream;
}

async function makeStream({ streams }: JetStreamManager, names: Names, limits: NatsLimits): Promise<void> {
  const changeable = {
    subjects: [names.events],
    max_age: nanos(limits.ageMaxMs),
    max_msgs: limits.messagesMax,
    duplicate_window: nanos(limits.dedupWindowMs),
    // The new ones are wanted now; the old ones come again.
    discard: DiscardPolicy.Old,
  };
  // A message goes when its receiver has answered; those nobody has read wait for the age limit.
  const fixed = { name: names.stream, retention: RetentionPolicy.Workqueue, storage: StorageType.Memory };
  const found = await streams.info(names.stream).catch((error: unknown) => {
    if (isMissing(error, JetStreamApiCodes.StreamNotFound)) return undefined;
    throw error;
  });
  if (found === undefined) {
    await streams.add({ ...fixed, ...changeable });
    return;
  }
  if (found.config.retention !== fixed.retention)
    throw new Error(`The stream ${names.stream} was not made by Ashlar. Delete it: what it should hold comes again.`);
  if (differs(found.config, changeable)) await streams.update(names.stream, changeable);
}

async function makeConsumer(
  { consumers }: JetStreamManager,
  names: Names,
  subscriber: string,
  limits: NatsLimits,
): Promise<void> {
  const changeable = {
    ack_wait: nanos(limits.ackWaitMs),
    max_deliver: limits.deliverMax,
    max_ack_pending: limits.ackPendingMax,
  };
  const fixed: Partial<ConsumerConfig> = {
    durable_name: subscriber,
    filter_subject: names.eventsOf(subscriber),
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
  };
  const found = await consumers.info(names.stream, subscriber).catch((error: unknown) => {
    if (isMissing(error, JetStreamApiCodes.ConsumerNotFound)) return undefined;
    throw error;
  });
  if (found === undefined) await consumers.add(names.stream, { ...fixed, ...changeable });
  else if (differs(found.config, changeable)) await consumers.update(names.stream, subscriber, changeable);
}

function isMissing(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code;
}

function differs(found: object, wanted: object): boolean {
  return Object.entries(wanted).some(
    ([key, value]) => JSON.stringify(found[key as keyof typeof found]) !== JSON.stringify(value),
  );
}
