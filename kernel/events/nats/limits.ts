// Every bound of the nats bus, with its name. Time is in milliseconds.

export interface NatsLimits {
  /** A message whose receiver died goes to another after this. One at work says so at every third of it. */
  ackWaitMs: number;
  /** How often a message is given out at most; the relay, which gets no answer then, sends the event again. */
  deliverMax: number;
  /** How long the stream knows the id of a message, so that one whose receipt was lost is not stored twice. */
  dedupWindowMs: number;
  /** How long a message stays in the stream: longer than anybody waits for its answer. */
  ageMaxMs: number;
  /** Messages in the stream. At the limit the oldest go, and are sent again by their relays. */
  messagesMax: number;
  /** Messages in hand of all processes of one subscriber. */
  ackPendingMax: number;
  /** Messages in hand of one process, for each of its subscribers. */
  inHandMax: number;
  /** How long one question for messages waits. */
  pullMs: number;
  /** Messages on their way to the stream at once. */
  publishesMax: number;
  /** How long the stream's receipt is waited for before the message is sent again, under the same id. */
  publishTimeoutMs: number;
  publishTriesMax: number;
  /** How long an outcome is waited for. Longer than a handler may take; shorter than a relay waits for the bus. */
  outcomeTimeoutMs: number;
  /** How long NATS may take to answer when it is connected to, and when a stream is made. */
  answerTimeoutMs: number;
  /** A connection on which nothing is answered for twice as long is given up. */
  pingMs: number;
  /** The shortest and the longest pause when NATS is away. */
  pauseMinMs: number;
  pauseMaxMs: number;
  /** When an event that is larger than this NATS takes is looked at again. */
  tooLargeRetryMs: number;
  /** How long `close` waits for what is in hand. */
  closeMs: number;
}

export const natsLimits: NatsLimits = {
  ackWaitMs: 10_000,
  deliverMax: 5,
  dedupWindowMs: 120_000,
  ageMaxMs: 120_000,
  messagesMax: 100_000,
  ackPendingMax: 1_000,
  inHandMax: 64,
  pullMs: 10_000,
  publishesMax: 64,
  publishTimeoutMs: 2_000,
  publishTriesMax: 3,
  outcomeTimeoutMs: 50_000,
  answerTimeoutMs: 2_000,
  pingMs: 5_000,
  pauseMinMs: 100,
  pauseMaxMs: 2_000,
  tooLargeRetryMs: 60_000,
  closeMs: 5_000,
};
