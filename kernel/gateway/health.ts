// Health: what works, said without names of hosts. A dependency that does not answer in time is down.

import { type Clock, timestamp } from "../base/index.ts";

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

/** `probes` reject, or answer the latency in milliseconds. Calls at the same time share one round. */
export function createHealth(options: {
  version: string;
  clock: Clock;
  probes: Record<CheckName, readonly (() => Promise<number>)[]>;
}): Health {
  const { clock, probes, version } = options;
  let round: Promise<HealthReport> | undefined;
  let draining = false;
  const report = () => {
    round ??= inspect().finally(() => (round = undefined));
    return round;
  };
  const inspect = async (): Promise<HealthReport> => {
    const [database, cache, queue] = await Promise.all([
      check(probes.database, clock),
      check(probes.cache, clock),
      check(probes.queue, clock),
    ]);
    const status =
      database.status === "down"
        ? "unhealthy"
        : cache.status === "down" || queue.status === "down"
          ? "degraded"
          : "healthy";
    return { status, version, timestamp: timestamp(clock.nowMs()), checks: { database, cache, queue } };
  };
  return {
    report,
    ready: async () => !draining && (await report()).status !== "unhealthy",
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
