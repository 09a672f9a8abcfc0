// How often calls may be repeated: for one in ten of them, and a few more.
//
// Without a bound, callers answer a service in trouble with a multiple of the load that brought it there. A share
// of the calls is the bound that holds at any load; the few more are for a service that is hardly ever called.

import type { Clock } from "../base/index.ts";

export interface RetryBudget {
  /** A call was made, for the first time. */
  called(): void;
  /** Whether one may be repeated now. */
  take(): boolean;
}

const share = 0.1;
const floorPerSecond = 1;
/** What can be saved up; also what there is at the start. */
const savedMax = 10;

export function createRetryBudget(clock: Clock): RetryBudget {
  let saved = savedMax;
  let countedAtMs = clock.nowMs();
  return {
    called() {
      saved = Math.min(savedMax, saved + share);
    },
    take() {
      const nowMs = clock.nowMs();
      saved = Math.min(savedMax, saved + ((nowMs - countedAtMs) / 1_000) * floorPerSecond);
      countedAtMs = nowMs;
      // Tenths do not add up to a whole in floating point.
      if (saved < 1 - 1e-9) return false;
      saved -= 1;
      return true;
    },
  };
}
