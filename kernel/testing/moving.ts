import type { ManualClock } from "../base/index.ts";

/** Moves the clock until the promise settles: for work that waits between its tries. */
export async function moving<T>(clock: ManualClock, promise: Promise<T>, stepMs = 10): Promise<T> {
  const state = { settled: false };
  const settle = () => (state.settled = true);
  promise.then(settle, settle);
  while (!state.settled) await clock.advance(stepMs);
  return promise;
}
