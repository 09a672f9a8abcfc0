import type { Clock } from "../base/index.ts";
import { errors, Failure } from "../contract/index.ts";

/** When a call must have been answered. Crosses hops as the time that remains, so clocks need not agree. */
export interface Deadline {
  remainingMs(): number;
  /** Throws a 504 Failure once the time has passed. */
  check(): void;
  /** Aborts when the time has passed or the caller went away. */
  readonly signal: AbortSignal;
  /** Ends the timer behind `signal`. */
  end(): void;
}

/** @param outer - aborts the deadline early: a client that went away, or the deadline of the caller. */
export function createDeadline(clock: Clock, timeoutMs: number, outer?: AbortSignal): Deadline {
  const endsAtMs = clock.nowMs() + timeoutMs;
  const ended = new AbortController();
  let passed: AbortController | undefined;
  const remainingMs = () => Math.max(0, endsAtMs - clock.nowMs());
  return {
    remainingMs,
    check() {
      if (remainingMs() === 0) throw new Failure(errors.deadlineExceeded, "The deadline of this request passed");
    },
    get signal() {
      // Most calls never ask for the signal, so the timer behind it is made on demand.
      passed ??= startTimer(clock, remainingMs(), ended.signal);
      return outer === undefined ? passed.signal : AbortSignal.any([passed.signal, outer]);
    },
    end: () => ended.abort(),
  };
}

function startTimer(clock: Clock, ms: number, ended: AbortSignal): AbortController {
  const passed = new AbortController();
  void clock.sleep(ms, ended).then(() => {
    if (!ended.aborted) passed.abort(new Failure(errors.deadlineExceeded, "The deadline of this request passed"));
  });
  return passed;
}
