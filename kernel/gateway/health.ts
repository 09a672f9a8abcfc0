// Health: what works, said without names of hosts. A dependency that does not answer in time is down.

import { type Clock, shared, timestamp } from "../base/index.ts";

export type CheckName = "database" | "cache" | "queue";

export interface CheckReport {
  status: "up" | "down";
  /** Milliseconds to the dependency and back; for several, the slowest. When it is down, until that was known. */
  latency: number;
}

export interface HealthReport {
  /** `degraded` serves every request, some of them slower; `unhealthy` cannot serve. */
  status: "healthy" | "degraded" | "unhealthy";
  version: string;
  timestamp: string;
  checks: Record<CheckName, CheckReport>;
}

export interface Health {
  report(): Promise<HealthReport>;
  ready(): Promise<boolean>;
  /** From now on not ready, so that nobody sends new work. */
  drain(): void;
}

const checkTimeoutMs = 2_000;

/** Rejects, or answers the latency in milliseconds. */
type Probe = () => Promise<number>;

/**
 * Calls at the same time share one round. The report is of the whole system, where there are `peers`; ready is this
 * process by itself, or one service that is down would take every gateway out of rotation.
 */
export function createHealth(options: {
  version: string;
  clock: Clock;
  probes: Record<CheckName, readonly Probe[]>;
  peers?: { probesOf(check: CheckName): readonly Probe[] };
}): Health {
  const { clock, version, peers } = options;
  let draining = false;
  const inspect = async (probesOf: (name: CheckName) => readonly Probe[]): Promise<HealthReport> => {
    const [database, cache, queue] = await Promise.all([
      check(probesOf("database"), clock),
      check(probesOf("cache"), clock),
      check(probesOf("queue"), clock),
    ]);
    const status =
      database.status === "down"
        ? "unhealthy"
        : cache.status === "down" || queue.status === "down"
          ? "degraded"
          : "healthy";
    return { status, version, timestamp: timestamp(clock.nowMs()), checks: { database, cache, queue } };
  };
  const own = (name: CheckName) => options.probes[name];
  const ofAll = (name: CheckName) => [...own(name), ...(peers?.probesOf(name) ?? [])];
  const report = shared(() => inspect(ofAll));
  const ownReport = peers === undefined ? report : shared(() => inspect(own));
  return {
    report,
    ready: async () => !draining && (await ownReport()).status !== "unhealthy",
    drain: () => void (draining = true),
  };
}

async function check(probes: readonly (() => Promise<number>)[], clock: Clock): Promise<CheckReport> {
  const startMs = clock.nowMs();
  const answered = new AbortController();
  const tooLate = clock
    .sleep(checkTimeoutMs, answered.signal)
    .then(() => Promise.reject(new Error("no answer in time")));
  tooLate.catch(() => {});
  try {
    const latencies = await Promise.race([Promise.all(probes.map((probe) => probe())), tooLate]);
    return { status: "up", latency: Math.max(0, ...latencies.map((ms) => Math.round(ms * 100) / 100)) };
  } catch {
    return { status: "down", latency: Math.max(0, clock.nowMs() - startMs) };
  } finally {
    answered.abort();
  }
}
