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
  /**
   * Calls `run` when the signal would abort, with its reason; at once when that is so already. What is returned takes it
   * back. For what is asked often: a signal and its listeners cost more than a small read.
   */
  onAbort(run: (reason: unknown) => void): () => void;
  /** Ends the timer behind `signal`: what did not abort by now never will. */
  end(): void;
}

const nothing = () => {};

/** A class for its accessor, as in service/exchange.ts. Most calls never ask when it ends, so what is behind that is made on demand. */
class OpenDeadline implements Deadline {
  readonly #clock: Clock;
  readonly #endsAtMs: number;
  readonly gone: AbortSignal | undefined;
  #waiting: Set<(reason: unknown) => void> | undefined = undefined;
  #aborter: AbortController | undefined = undefined;
  #aborted: { reason: unknown } | undefined = undefined;
  #stopWatching = nothing;

  constructor(clock: Clock, timeoutMs: number, gone: AbortSignal | undefined) {
    this.#clock = clock;
    this.#endsAtMs = clock.nowMs() + timeoutMs;
    this.gone = gone;
  }

  readonly remainingMs = () => Math.max(0, this.#endsAtMs - this.#clock.nowMs());

  check(): void {
    if (this.remainingMs() === 0) throw deadlinePassed();
  }

  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      const aborter = new AbortController();
      this.#aborter = aborter;
      this.onAbort((reason) => aborter.abort(reason));
    }
    return this.#aborter.signal;
  }

  onAbort(run: (reason: unknown) => void): () => void {
    const waiting = (this.#waiting ??= this.#watch());
    if (this.#aborted !== undefined) {
      run(this.#aborted.reason);
      return nothing;
    }
    waiting.add(run);
    return () => void waiting.delete(run);
  }

  end(): void {
    this.#stopWatching();
  }

  #watch(): Set<(reason: unknown) => void> {
    const waiting = new Set<(reason: unknown) => void>();
    const { gone } = this;
    const abort = (reason: unknown) => {
      this.#stopWatching();
      this.#aborted = { reason };
      for (const run of waiting) run(reason);
      waiting.clear();
    };
    const leftMs = this.remainingMs();
    if (gone?.aborted) abort(gone.reason);
    else if (leftMs === 0) abort(deadlinePassed());
    else {
      const takeBack = this.#clock.after(leftMs, () => abort(deadlinePassed()));
      const onGone = () => abort(gone!.reason);
      gone?.addEventListener("abort", onGone);
      this.#stopWatching = () => {
        this.#stopWatching = nothing;
        gone?.removeEventListener("abort", onGone);
        takeBack();
      };
    }
    return waiting;
  }
}

function deadlinePassed(): Failure {
  return new Failure(errors.deadlineExceeded, "The deadline of this request passed");
}

/** @param gone - ends it early: a client that went away. */
export function createDeadline(clock: Clock, timeoutMs: number, gone?: AbortSignal): Deadline {
  return new OpenDeadline(clock, timeoutMs, gone);
}

/** What a deadline has left, and no more than `timeoutMs` of it. */
export function within(clock: Clock, deadline: Deadline, timeoutMs: number | undefined): Deadline {
  const leftMs = deadline.remainingMs();
  return createDeadline(clock, timeoutMs === undefined ? leftMs : Math.min(leftMs, timeoutMs), deadline.gone);
}
/** The promise, or the reason why its time is over, whichever comes first: who does not look at its deadline is not waited for. */
export function untilAborted<T>(promise: Promise<T>, deadline: Deadline): Promise<T> {
  return new Promise((resolve, reject) => {
    const takeBack = deadline.onAbort(reject);
    promise.then(
      (value) => {
        takeBack();
        resolve(value);
      },
      (error: unknown) => {
        takeBack();
        reject(error);
      },
    );
  });
}
