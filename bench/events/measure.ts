// First a backlog is worked off, which is the rate of one relay and one subscriber; then events are committed one by one,
// each when the one before had its effect; then so many a second, whatever became of those before.

import { systemClock } from "ashlar/base";
import type { Flow } from "./flow.ts";

export interface Lags {
  p50Ms: number;
  p99Ms: number;
}

export interface Figures {
  perSecond: number;
  alone: Lags;
  /** At a steady rate, which is what was reached of that asked for. */
  steady: Lags & { perSecond: number };
}

export interface Plan {
  backlog: number;
  alone: number;
  steadyPerSecond: number;
  steadySeconds: number;
}

/** `around` is told when the backlog is about to be worked off, and when it is. */
export async function measureFlow(flow: Flow, plan: Plan, around: { before?(): void; after?(): void } = {}) {
  const { backlog, alone, steadyPerSecond, steadySeconds } = plan;
  await Promise.all(
    Array.from({ length: 8 }, async (_, lane) => {
      for (let step = lane; step < backlog; step += 8) await flow.emit(step);
    }),
  );
  const all = whenEffects(flow, backlog);
  around.before?.();
  const startMs = performance.now();
  flow.start();
  await all;
  const perSecond = (backlog * 1_000) / (performance.now() - startMs);
  around.after?.();

  const lagsMs: number[] = [];
  for (let n = 0; n < alone; n++) {
    const one = whenEffects(flow, 1);
    await flow.emit(backlog + n);
    const committedMs = performance.now();
    await one;
    lagsMs.push(performance.now() - committedMs);
  }
  const steady = await steadily(flow, steadyPerSecond, steadySeconds, backlog + alone);
  return { perSecond, alone: lagsOf(lagsMs), steady } satisfies Figures;
}

async function steadily(flow: Flow, perSecond: number, seconds: number, firstStep: number): Promise<Figures["steady"]> {
  const count = perSecond * seconds;
  const committedMs = new Map<number, number>();
  const effectMs = new Map<number, number>();
  const all = whenEffects(flow, count, (step) => effectMs.set(step, performance.now()));
  const startMs = performance.now();
  const committed: Promise<void>[] = [];
  while (committed.length < count) {
    const due = Math.min(count, ((performance.now() - startMs) * perSecond) / 1_000);
    while (committed.length < due) {
      const step = firstStep + committed.length;
      committed.push(flow.emit(step).then(() => void committedMs.set(step, performance.now())));
    }
    await systemClock.sleep(1);
  }
  await Promise.all(committed);
  const reached = (count * 1_000) / (performance.now() - startMs);
  await all;
  // In one process the effect may be told before whoever committed the event resumes.
  const lagsMs = [...effectMs].map(([step, ms]) => Math.max(0, ms - committedMs.get(step)!));
  return { ...lagsOf(lagsMs), perSecond: reached };
}

function whenEffects(flow: Flow, count: number, each: (step: number) => void = () => {}): Promise<void> {
  let left = count;
  return new Promise((resolve) => {
    Object.assign(flow, {
      onEffect(step: number) {
        each(step);
        if (--left === 0) resolve();
      },
    });
  });
}

function lagsOf(values: readonly number[]): Lags {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * sorted.length)] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
