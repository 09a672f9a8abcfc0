// Relays events from the outbox to the bus.
//
// One relay per service works at a time, held by a lease (lease.ts). Each subscriber has a lane of its own
// (lane.ts), so that one who is slow or away holds back nobody else. Two relays that work at once for a
// moment, because a process slept through its lease, do no harm: each keeps the order by itself, and
// the inbox gives an event its effect once.

import { type Clock, type Logger, type Random, uuidv7, uuidv7From } from "../base/index.ts";
import type { Database } from "../data/index.ts";
import { createBell } from "./bell.ts";
import type { Bus } from "./bus.ts";
import { createLane, fill, idleMs, type Lane } from "./lane.ts";
import { createLease } from "./lease.ts";
import { type RelayLimits, relayLimits } from "./limits.ts";
import { createTrouble } from "./trouble.ts";

export interface RelayOptions {
  service: string;
  /** The database of the emitting service. */
  database: Database;
  bus: Bus;
  /** The services that subscribe to any event of this one. */
  subscribers: readonly string[];
  clock: Clock;
  random: Random;
  log: Logger;
  limits?: Partial<RelayLimits>;
}

export interface Relay {
  start(): void;
  /**
   * Takes nothing new, waits for what is in hand, at most as long as `limits.stopMs` or this says, and gives the lease
   * back. The relay can be started again.
   */
  stop(withinMs?: number): Promise<void>;
  /** Says that there is something new, for these subscribers or for all. Costs nothing when repeated. */
  wake(subscribers?: readonly string[]): void;
  /** Delivers everything that may go now, and returns how many were confirmed. For tests and tools; not while started. */
  runOnce(): Promise<number>;
  /** Whether this relay holds the lease. */
  readonly leads: boolean;
}

export function createRelay(options: RelayOptions): Relay {
  const { database, clock, log } = options;
  const limits = { ...relayLimits, ...options.limits };
  const lease = createLease({
    name: `relay:${options.service}`,
    holder: uuidv7(clock, options.random),
    leaseMs: limits.leaseMs,
  });
  const lanes = new Map(
    options.subscribers.map((subscriber) => [subscriber, createLane({ ...options, subscriber, limits })]),
  );
  const trouble = createTrouble(log, `Relaying events of ${options.service}`);
  const keeperBell = createBell(clock);
  const state = { leadsUntilMs: 0, nextPurgeMs: 0, stopping: false, loops: undefined as Promise<unknown> | undefined };

  const mayGo = () => !state.stopping && clock.nowMs() < state.leadsUntilMs;

  /** Keeps the lease and the outbox small. Returns how long that is good for. */
  async function keep(): Promise<number> {
    try {
      const ledBefore = mayGo();
      // Counted from before the question: the database may have answered late.
      const askedAtMs = clock.nowMs();
      state.leadsUntilMs = (await lease.hold(database)) ? askedAtMs + limits.leaseMs : 0;
      if (mayGo() && !ledBefore) for (const lane of lanes.values()) lane.bell.ring();
      if (mayGo() && askedAtMs >= state.nextPurgeMs) {
        const purged = await purge(database, askedAtMs - limits.retentionMs, limits.purgeSize);
        if (purged < limits.purgeSize) state.nextPurgeMs = askedAtMs + limits.purgeEveryMs;
      }
      trouble.over();
    } catch (error) {
      trouble.failed(error);
    }
    return mayGo() ? Math.ceil(limits.leaseMs / 3) : limits.pollMs;
  }

  async function keepUntilStopped(): Promise<void> {
    while (!state.stopping) await keeperBell.wait(await keep());
  }

  async function fillUntilStopped(lane: Lane): Promise<void> {
    while (!state.stopping) {
      await fill(lane, mayGo);
      await lane.bell.wait(idleMs(lane));
    }
    await Promise.all(lane.inFlight);
  }

  /** A subscriber that is slow, or away, does not keep the process from ending: what it had in hand it gets again. */
  async function withinLimit(loops: Promise<unknown>, withinMs: number): Promise<void> {
    const ended = new AbortController();
    const givenUp = clock.sleep(withinMs, ended.signal).then(() => {
      if (!ended.signal.aborted) for (const lane of lanes.values()) lane.givingUp.abort(new Error("The relay stops"));
    });
    await loops;
    ended.abort("ended");
    await givenUp;
    for (const lane of lanes.values()) lane.givingUp = new AbortController();
  }

  return {
    get leads() {
      return mayGo();
    },
    start() {
      if (state.loops !== undefined) throw new Error(`The relay of ${options.service} is already started`);
      state.stopping = false;
      state.loops = Promise.all([keepUntilStopped(), ...[...lanes.values()].map(fillUntilStopped)]);
    },
    async stop(withinMs = limits.stopMs) {
      if (state.loops === undefined) return;
      state.stopping = true;
      keeperBell.ring();
      for (const lane of lanes.values()) lane.bell.ring();
      await withinLimit(state.loops, Math.min(withinMs, limits.stopMs));
      state.loops = undefined;
      state.leadsUntilMs = 0;
      await lease
        .release(database)
        .catch((error: unknown) =>
          log.warn({ err: error }, "The relay's lease was not given back; it expires by itself"),
        );
    },
    wake(subscribers) {
      for (const subscriber of subscribers ?? lanes.keys()) lanes.get(subscriber)?.bell.ring();
    },
    async runOnce() {
      const before = confirmedBy(lanes.values());
      await keep();
      await Promise.all([...lanes.values()].map((lane) => drain(lane, mayGo)));
      return confirmedBy(lanes.values()) - before;
    },
  };
}

async function drain(lane: Lane, mayGo: () => boolean): Promise<void> {
  for (;;) {
    // A batch that ended while the lane was reading may have made room for more.
    const idle = lane.inFlight.size === 0;
    const batches = await fill(lane, mayGo, false);
    if (idle && batches === 0) return;
    if (lane.inFlight.size > 0) await Promise.race(lane.inFlight);
  }
}

function confirmedBy(lanes: Iterable<Lane>): number {
  return [...lanes].reduce((sum, lane) => sum + lane.confirmed, 0);
}

/** Removes events from before `beforeMs` that nobody waits for, the oldest first. Their ids are in order of time. */
async function purge(database: Database, beforeMs: number, purgeSize: number): Promise<number> {
  const { rowCount } = await database.query(purgeOutbox, [
    uuidv7From(Math.max(0, beforeMs), new Uint8Array(10)),
    purgeSize,
  ]);
  return rowCount;
}

const purgeOutbox = {
  name: "ashlar_outbox_purge",
  text: `
    delete from ashlar.outbox where seq in (
      select seq from ashlar.outbox as o
      where id < $1::uuid and not exists (
        select from unnest(o.subscribers) as s (name) join ashlar.pending as p on p.subscriber = s.name and p.seq = o.seq
      )
      order by id limit $2
    )`,
};
