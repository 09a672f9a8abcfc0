// The inbox: a subscriber's memory of what it has dealt with.
//
// Events arrive at least once; their effect happens once, because the inbox row and the effect are one
// transaction. An event whose handler keeps failing becomes a dead letter after `triesMax` tries, and
// the later events of its aggregate wait behind it (dead-letters.ts); all others go on. What says that it
// is the surroundings that are broken (503, 504) is tried again without limit and is nobody's fault.

import type { Clock, Logger, Random } from "../base/index.ts";
import { type Envelope, errors, Failure } from "../contract/index.ts";
import type { Database, Tx } from "../data/index.ts";
import { backoffMs } from "./backoff.ts";
import { createBell } from "./bell.ts";
import type { Outcome, Receive } from "./bus.ts";
import { joinLetters, reasonOf } from "./dead-letters.ts";
import { type InboxLimits, inboxLimits } from "./limits.ts";
import { bury, countTry, forget, remember } from "./memory.ts";
import { type Apply, replayRequested } from "./replay.ts";
import { createSlots } from "./slots.ts";
import { withTimeLimit } from "./time-limit.ts";
import { createTakeTogether } from "./take-together.ts";
import { createTrouble } from "./trouble.ts";

/**
 * Applies an event, in `tx` and nowhere else: what it does outside cannot be taken back and may happen
 * twice. The signal aborts when the time limit passes.
 */
export type EventHandler = (event: Envelope, tx: Tx, signal: AbortSignal) => Promise<void>;

/** Applies events of different aggregates at once, as an `EventHandler` does each of them. */
export type EventsHandler = (events: readonly Envelope[], tx: Tx, signal: AbortSignal) => Promise<void>;

export interface InboxOptions {
  service: string;
  /** The database of the subscriber. */
  database: Database;
  /** By type of event. */
  handlers: ReadonlyMap<string, EventHandler>;
  /** For the types whose events may share a transaction. Where that fails, each event goes to its `handlers` alone. */
  together?: ReadonlyMap<string, EventsHandler>;
  clock: Clock;
  random: Random;
  log: Logger;
  limits?: Partial<InboxLimits>;
}

export interface Inbox {
  /** For `bus.subscribe`. Never rejects for what a handler does. Safe to repeat, also at once. */
  receive: Receive;
  /** Starts looking for replays that were asked for, and forgetting what is old. */
  start(): void;
  /**
   * Waits for what is being handled, at most as long as `limits.stopMs` or this says: then it is taken back, and is to come
   * again. Unsubscribe first, so that nothing new comes.
   */
  stop(withinMs?: number): Promise<void>;
  /** Does the replays that were asked for, and returns how many letters were dealt with. For tests; not while started. */
  runOnce(): Promise<number>;
}

export function createInbox(options: InboxOptions): Inbox {
  const { database, clock, log } = options;
  const limits = { ...inboxLimits, ...options.limits };
  const inSlot = createSlots(limits.concurrencyMax);
  const trouble = createTrouble(log, `Replaying events for ${options.service}`);
  const bell = createBell(clock);
  const receiving = new Set<Promise<unknown>>();
  const state = {
    nextPurgeMs: 0,
    stopping: false,
    loop: undefined as Promise<void> | undefined,
    givingUp: new AbortController(),
  };

  /** One transaction, ended by the time limit of a handler. */
  const inTime = (type: string, run: (tx: Tx, signal: AbortSignal) => Promise<void>) =>
    withTimeLimit(
      clock,
      limits.handlerTimeoutMs,
      `The handler of ${type} in ${options.service}`,
      (signal) => database.transaction((tx) => run(tx, signal), { signal }),
      state.givingUp.signal,
    );

  const apply: Apply = (event, around) =>
    inTime(event.type, (tx, signal) => around(tx, () => handlerOf(options, event)(event, tx, signal)));

  async function take(event: Envelope): Promise<Outcome> {
    try {
      await apply(event, async (tx, handle) => {
        const { fresh, behind } = await remember(tx, event);
        if (!fresh || (behind && (await joinLetters(tx, event)))) return;
        await handle();
      });
      return { id: event.id, state: "confirmed" };
    } catch (error) {
      return await failed(event, error).catch((recording: unknown) => unavailable(event, recording));
    }
  }

  async function failed(event: Envelope, error: unknown): Promise<Outcome> {
    if (isUnavailable(error)) return unavailable(event, error);
    const reason = reasonOf(error);
    const tries = await countTry(database, event, reason);
    const fields = { eventId: event.id, type: event.type, aggregateId: event.aggregateId, tries, err: error };
    if (tries < limits.triesMax) {
      log.warn(fields, "An event was refused and will be tried again");
      const afterMs = backoffMs(tries, {
        minMs: limits.backoffMinMs,
        maxMs: limits.backoffMaxMs,
        random: options.random,
      });
      return { id: event.id, state: "retry", afterMs, reason };
    }
    await database.transaction((tx) => bury(tx, event, reason, tries));
    log.error(fields, "An event was refused too often and became a dead letter");
    return { id: event.id, state: "confirmed" };
  }

  function unavailable(event: Envelope, error: unknown): Outcome {
    const asked = error instanceof Failure ? Number(error.headers["retry-after"]) * 1_000 : Number.NaN;
    const maxMs = asked > 0 ? Math.min(asked, limits.backoffMaxMs) : limits.unavailableRetryMs;
    const afterMs = backoffMs(1, { minMs: maxMs, maxMs, random: options.random });
    return { id: event.id, state: "retry", afterMs, reason: reasonOf(error) };
  }

  async function runOnce(): Promise<number> {
    try {
      const replayed = await replayRequested(database, apply, { log, isUnavailable, mayGo: () => !state.stopping });
      if (clock.nowMs() >= state.nextPurgeMs) {
        const purged = await forget(database, clock.nowMs() - limits.retentionMs, limits.purgeSize);
        if (purged < limits.purgeSize) state.nextPurgeMs = clock.nowMs() + limits.purgeEveryMs;
      }
      trouble.over();
      return replayed;
    } catch (error) {
      trouble.failed(error);
      return 0;
    }
  }

  const takeTogether = createTakeTogether(options, (type, run) => inSlot(() => inTime(type, run)));

  async function receive(events: Envelope[]): Promise<Outcome[]> {
    const aggregates = [...Map.groupBy(events, (event) => event.aggregateId).values()];
    const taken = takeTogether(aggregates.map(([first]) => first!));
    const outcomes = await Promise.all(
      aggregates.map(async (inOrder) => {
        const [first, ...later] = inOrder as [Envelope, ...Envelope[]];
        if (!(await taken.get(first))) return inSlot(() => takeInOrder(inOrder, take));
        const confirmed: Outcome = { id: first.id, state: "confirmed" };
        return later.length === 0 ? [confirmed] : [confirmed, ...(await inSlot(() => takeInOrder(later, take)))];
      }),
    );
    return outcomes.flat();
  }

  return {
    runOnce,
    receive: (events) => {
      const outcomes = receive(events).finally(() => receiving.delete(outcomes));
      receiving.add(outcomes);
      return outcomes;
    },
    start() {
      if (state.loop !== undefined) throw new Error(`The inbox of ${options.service} is already started`);
      state.stopping = false;
      if (state.givingUp.signal.aborted) state.givingUp = new AbortController();
      state.loop = (async () => {
        while (!state.stopping) {
          await runOnce();
          await bell.wait(limits.pollMs);
        }
      })();
    },
    async stop(withinMs = limits.stopMs) {
      state.stopping = true;
      bell.ring();
      const ended = new AbortController();
      const givenUp = clock.sleep(Math.min(withinMs, limits.stopMs), ended.signal).then(() => {
        // Not the fault of the event, which is counted as no try.
        if (!ended.signal.aborted) state.givingUp.abort(new Failure(errors.unavailable, "The process ends"));
      });
      await Promise.all([state.loop, ...receiving]);
      ended.abort("ended");
      await givenUp;
      state.loop = undefined;
    },
  };
}

function handlerOf({ handlers, service }: InboxOptions, event: Envelope): EventHandler {
  const handler = handlers.get(event.type);
  if (handler === undefined)
    throw new Error(
      `Service ${service} has no handler for ${event.type}. Add it to its subscribers, or take the type out of its contract.`,
    );
  return handler;
}

async function takeInOrder(events: Envelope[], take: (event: Envelope) => Promise<Outcome>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const event of events) {
    const refused = outcomes.find((outcome) => outcome.state === "retry");
    if (refused !== undefined) outcomes.push({ ...refused, id: event.id, reason: `behind ${refused.id}` });
    else outcomes.push(await take(event));
  }
  return outcomes;
}

/** Only the surroundings are to blame: the database or another service is down, or a deadline passed. */
function isUnavailable(error: unknown): boolean {
  return error instanceof Failure && (error.status === 503 || error.status === 504);
}
