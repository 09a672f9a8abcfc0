// One subscriber's way out of the outbox.
//
// A lane reads what is pending for its subscriber from the beginning each time and keeps no "last seen"
// position, so a row whose transaction committed late is found like any other. What keeps a reading
// short is that confirmed rows are gone, and that aggregates which cannot go now are left out:
//
// - in hand: an event of the aggregate is with the subscriber. The next goes when it is confirmed;
// - waiting: the subscriber refused an event of the aggregate and named a delay.
//
// So order holds per aggregate whatever the bus does, and one aggregate never holds back another.

import type { Clock, Logger, Random } from "../base/index.ts";
import type { Database } from "../data/index.ts";
import { backoffMs } from "./backoff.ts";
import { type Bell, createBell } from "./bell.ts";
import type { Bus, Outcome } from "./bus.ts";
import { envelopeOf, type EventRow, eventColumns, eventId } from "./envelope.ts";
import type { LaneLimits } from "./limits.ts";
import { withTimeLimit } from "./time-limit.ts";
import { createTrouble, type Trouble } from "./trouble.ts";

export interface LaneOptions {
  subscriber: string;
  database: Database;
  bus: Bus;
  limits: LaneLimits;
  clock: Clock;
  random: Random;
  log: Logger;
}

export interface Lane extends LaneOptions {
  readonly bell: Bell;
  readonly trouble: Trouble;
  readonly inFlight: Set<Promise<void>>;
  /** Ids of aggregates. */
  readonly inHand: Set<string>;
  /** From the id of an aggregate to the moment before which it is left alone. */
  readonly waiting: Map<string, number>;
  pausedUntilMs: number;
  /** Until then the next batch gathers: while the last one is in hand, and after it too when it had several events. */
  gathersUntilMs: number;
  isBusy: boolean;
  /** Behind events in hand there are others of their aggregates: they gather enough by waiting for those. */
  hasBacklog: boolean;
  confirmed: number;
  /** Aborts when a relay that stops has waited long enough for what is with the subscriber. */
  givingUp: AbortController;
}

export function createLane(options: LaneOptions): Lane {
  return {
    ...options,
    bell: createBell(options.clock),
    trouble: createTrouble(
      options.log.child({ subscriber: options.subscriber }),
      `Delivering events to ${options.subscriber}`,
    ),
    inFlight: new Set(),
    inHand: new Set(),
    waiting: new Map(),
    pausedUntilMs: 0,
    gathersUntilMs: 0,
    isBusy: false,
    hasBacklog: false,
    confirmed: 0,
    givingUp: new AbortController(),
  };
}

/**
 * Hands over whatever may go now, without waiting for the answers; each answer rings the lane's bell.
 * Returns how many batches went. Never rejects: what fails pauses the lane. Not for two callers at once.
 *
 * @param gathers - leaves for later what is better sent with more.
 */
export async function fill(lane: Lane, mayGo: () => boolean, gathers = true): Promise<number> {
  let batches = 0;
  let isMore = true;
  while (isMore && mayGo() && hasRoom(lane, gathers)) {
    const read = await readHeads(lane).catch((error: unknown) => pause(lane, error));
    if (read === undefined || read.rows.length === 0) break;
    const { rows } = read;
    ({ isMore } = read);
    if (read.seen > rows.length) lane.hasBacklog = true;
    else if (lane.inFlight.size === 0) lane.hasBacklog = false;
    for (const row of rows) lane.inHand.add(row.aggregate_id);
    const batch = handOver(lane, rows).finally(() => {
      for (const row of rows) lane.inHand.delete(row.aggregate_id);
      lane.inFlight.delete(batch);
      lane.bell.ring();
    });
    lane.inFlight.add(batch);
    lane.gathersUntilMs = isMore ? 0 : lane.clock.nowMs() + lane.limits.gatherMs;
    lane.isBusy = rows.length > 1;
    batches += 1;
  }
  return batches;
}

function hasRoom(lane: Lane, gathers: boolean): boolean {
  const { inFlight, limits, clock, pausedUntilMs } = lane;
  if (inFlight.size >= limits.batchesInFlightMax || clock.nowMs() < pausedUntilMs) return false;
  return !gathers || !isGathering(lane);
}

/** Under load a batch costs little more than one event, so it is worth a moment's wait. A lone event goes at once. */
function isGathering({ inFlight, clock, gathersUntilMs, isBusy, hasBacklog }: Lane): boolean {
  return !hasBacklog && (inFlight.size > 0 || isBusy) && clock.nowMs() < gathersUntilMs;
}

/** How long the lane has nothing to do unless it is rung. */
export function idleMs(lane: Lane): number {
  const nowMs = lane.clock.nowMs();
  if (lane.pausedUntilMs > nowMs) return lane.pausedUntilMs - nowMs;
  const nextMs = isGathering(lane) ? lane.gathersUntilMs : earliest(lane);
  return Math.max(0, Math.min(lane.limits.pollMs, nextMs - nowMs));
}

/** `seen`: how many pending rows were looked at. `isMore`: there may be others that could go now. */
async function readHeads(lane: Lane): Promise<{ rows: EventRow[]; seen: number; isMore: boolean }> {
  const nowMs = lane.clock.nowMs();
  for (const [aggregateId, untilMs] of lane.waiting) if (untilMs <= nowMs) lane.waiting.delete(aggregateId);
  if (lane.waiting.size >= lane.limits.waitingMax) {
    lane.pausedUntilMs = earliest(lane);
    return { rows: [], seen: 0, isMore: false };
  }
  const { batchSize, windowSize } = lane.limits;
  const held = [...lane.inHand, ...lane.waiting.keys()];
  const { rows } = await lane.database.query<EventRow & { seen: number }>(selectHeads, [
    lane.subscriber,
    held,
    windowSize,
    batchSize,
  ]);
  const seen = rows[0]?.seen ?? 0;
  return { rows, seen, isMore: rows.length >= batchSize || seen >= windowSize };
}

// The first pending event of each aggregate, oldest first, within a window of the oldest that may go.
const selectHeads = {
  name: "ashlar_outbox_heads",
  text: `
    with oldest as (
      select seq, aggregate_id from ashlar.pending
      where subscriber = $1 and aggregate_id <> all ($2::text[])
      order by seq limit $3
    )
    select ${eventColumns}, (select count(*) from oldest) as seen
    from (select distinct on (aggregate_id) seq from oldest order by aggregate_id, seq) as head
    join ashlar.outbox as o using (seq)
    order by o.seq limit $4`,
};

async function handOver(lane: Lane, rows: EventRow[]): Promise<void> {
  try {
    const { signal: givenUp } = lane.givingUp;
    const outcomes = await withTimeLimit(
      lane.clock,
      lane.limits.deliverTimeoutMs,
      `The ${lane.bus.name} bus`,
      (signal) => lane.bus.deliver(lane.subscriber, rows.map(envelopeOf), signal),
      givenUp,
    );
    await settle(lane, rows, new Map(outcomes.map((outcome) => [outcome.id, outcome])));
    lane.trouble.over();
  } catch (error) {
    // Nothing is lost: the rows are still pending, and the inbox knows those it has dealt with.
    pause(lane, error);
  }
}

async function settle(lane: Lane, rows: EventRow[], outcomes: Map<string, Outcome>): Promise<void> {
  const confirmed: EventRow["seq"][] = [];
  for (const row of rows) {
    const outcome = outcomes.get(eventId(row.id));
    if (outcome?.state === "confirmed") confirmed.push(row.seq);
    // An event without an outcome was lost on the way; it is tried again like one that was refused.
    else lane.waiting.set(row.aggregate_id, lane.clock.nowMs() + Math.max(0, outcome?.afterMs ?? lane.limits.pollMs));
  }
  if (confirmed.length === 0) return;
  await lane.database.query(deletePending, [lane.subscriber, confirmed]);
  lane.confirmed += confirmed.length;
}

const deletePending = {
  name: "ashlar_outbox_confirm",
  text: "delete from ashlar.pending where subscriber = $1 and seq = any ($2::bigint[])",
};

function pause(lane: Lane, error: unknown): undefined {
  lane.trouble.failed(error);
  const { clock, random, trouble, limits } = lane;
  lane.pausedUntilMs = clock.nowMs() + backoffMs(trouble.failures, { minMs: 100, maxMs: limits.pauseMaxMs, random });
}

function earliest(lane: Lane): number {
  return Math.min(...lane.waiting.values(), Number.POSITIVE_INFINITY);
}
