import type { Clock } from "../base/index.ts";
import { errors, Failure } from "../contract/index.ts";

/** When a call must have been answered. Crosses hops as the time that remains, so clocks need not agree. */
export interface Deadline {
  remainingMs(): number;
  /** Throws a 504 Failure once the time has passed. */
  check(): void;
  /** Aborts when the time has passed or the caller went away. */
  readonly signal: AbortSignal;
  /** Aborts when the caller went away. Undefined: nobody can. */
  readonly gone: AbortSignal | undefined;
  /** Ends the timer behind `signal`. */
  end(): void;
}

interface State {
  readonly clock: Clock;
  readonly endsAtMs: number;
  readonly gone: AbortSignal | undefined;
  /** Most calls never ask for the signal, so what is behind it is made on demand. */
  aborter: AbortController | undefined;
  stopWatching: (() => void) | undefined;
}

/** @param gone - ends it early: a client that went away. */
export function createDeadline(clock: Clock, timeoutMs: number, gone?: AbortSignal): Deadline {
  const state: State = {
    clock,
    endsAtMs: clock.nowMs() + timeoutMs,
    gone,
    aborter: undefined,
    stopWatching: undefined,
  };
  return {
    remainingMs: () => remainingMs(state),
    check() {
      if (remainingMs(state) === 0) throw deadlinePassed();
    },
    get signal() {
      return (state.aborter ??= watch(state)).signal;
    },
    gone,
    end: () => state.stopWatching?.(),
  };
}

/** What a deadline has left, and no more than `timeoutMs` of it. */
export function within(clock: Clock, { remainingMs, gone }: Deadline, timeoutMs: number | undefined): Deadline {
  const leftMs = remainingMs();
  return createDeadline(clock, timeoutMs === undefined ? leftMs : Math.min(leftMs, timeoutMs), gone);
}

function remainingMs({ clock, endsAtMs }: State): number {
  return Math.max(0, endsAtMs - clock.nowMs());
}

function deadlinePassed(): Failure {
  return new Failure(errors.deadlineExceeded, "The deadline of this request passed");
}

function watch(state: State): AbortController {
  const aborter = new AbortController();
  const { gone } = state;
  if (gone?.aborted) {
    aborter.abort(gone.reason);
    return aborter;
  }
  const leftMs = remainingMs(state);
  if (leftMs === 0) {
    aborter.abort(deadlinePassed());
    return aborter;
  }
  const ended = new AbortController();
  const onGone = () => aborter.abort(gone!.reason);
  gone?.addEventListener("abort", onGone);
  state.stopWatching = () => {
    gone?.removeEventListener("abort", onGone);
    // With a reason: without one an error with its stack is made, which is most of what a local call would cost.
    ended.abort("ended");
  };
  void state.clock.sleep(leftMs, ended.signal).then(() => {
    if (!ended.signal.aborted) aborter.abort(deadlinePassed());
  });
  return aborter;
}

/** The promise, or the reason of the signal, whichever comes first: who does not look at its deadline is not waited for. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(signal.reason as Error);
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort);
    const settled = () => signal.removeEventListener("abort", onAbort);
    promise.then(
      (value) => {
        settled();
        resolve(value);
      },
      (error: unknown) => {
        settled();
        reject(error);
      },
    );
  });
}
