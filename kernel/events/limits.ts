// Every bound of this folder, with its name. Time is in milliseconds.

export interface LaneLimits {
  /** Events handed over at once; each is the first unconfirmed one of its aggregate. */
  batchSize: number;
  /** Hand-overs at once, so that one slow event does not hold back the rest. */
  batchesInFlightMax: number;
  /** How long events gather after a batch was handed over: of several events always, of one while it is not answered. */
  gatherMs: number;
  /** Pending rows looked at in one reading to find a batch. */
  windowSize: number;
  /** Aggregates that may wait at once; at the limit the whole lane waits for the first of them. */
  waitingMax: number;
  /** A hand-over without answer is given up and done again. */
  deliverTimeoutMs: number;
  /** The longest pause when the bus or the database is away; the shortest is 100 ms. */
  pauseMaxMs: number;
  /** How often to look without being woken. */
  pollMs: number;
}

export interface RelayLimits extends LaneLimits {
  /** After a crash another relay takes over when this has passed, and a poll. */
  leaseMs: number;
  /** How long an event stays in the outbox after it was emitted, once nobody waits for it. */
  retentionMs: number;
  purgeEveryMs: number;
  /** Rows removed in one statement. */
  purgeSize: number;
  /** How long a relay that stops waits for what is with a subscriber. */
  stopMs: number;
}

export const relayLimits: RelayLimits = {
  batchSize: 64,
  batchesInFlightMax: 4,
  gatherMs: 20,
  windowSize: 256,
  waitingMax: 1_000,
  deliverTimeoutMs: 60_000,
  pauseMaxMs: 5_000,
  pollMs: 1_000,
  leaseMs: 5_000,
  retentionMs: 7 * 86_400_000,
  purgeEveryMs: 60_000,
  purgeSize: 10_000,
  stopMs: 3_000,
};

/**
 * The data of an event as JSON, in bytes: what goes into a message of every bus with the rest of the envelope
 * (NATS takes 1 MiB as it is installed). Held in `emit`, whatever the bus, so that changing it changes nothing.
 */
export const eventDataBytesMax = 1_000_000;

export interface InboxLimits {
  /** Failures of a handler before its event becomes a dead letter. */
  triesMax: number;
  /** Events handled at once; each takes a connection. */
  concurrencyMax: number;
  handlerTimeoutMs: number;
  backoffMinMs: number;
  backoffMaxMs: number;
  /** The delay after a failure that is not the event's, unless it names one. */
  unavailableRetryMs: number;
  /**
   * How long an event is remembered. Far longer than an outbox keeps what was confirmed: an event that was
   * dealt with, but could not be confirmed for longer than this, would have its effect again.
   */
  retentionMs: number;
  purgeEveryMs: number;
  /** Rows removed in one statement. */
  purgeSize: number;
  /** How often to look for replays that were asked for. */
  pollMs: number;
  /** How long an inbox that stops waits for handlers; then what they did is rolled back, and the event comes again. */
  stopMs: number;
}

export const inboxLimits: InboxLimits = {
  triesMax: 8,
  concurrencyMax: 8,
  handlerTimeoutMs: 30_000,
  backoffMinMs: 200,
  backoffMaxMs: 60_000,
  unavailableRetryMs: 1_000,
  retentionMs: 30 * 86_400_000,
  purgeEveryMs: 60_000,
  purgeSize: 10_000,
  pollMs: 1_000,
  stopMs: 3_000,
};
