// Lets a bounded number of works run at once and a bounded number wait, each for a bounded time.
//
// Hashing a password takes 19 MiB and both cores for tens of milliseconds. Without a bound a few
// hundred logins at once would take the memory and the threads that everything else needs; with it
// they are told to come back.

import type { Clock } from "../base/index.ts";
import { errors, Failure } from "../contract/index.ts";

export interface GateOptions {
  maxConcurrent: number;
  maxQueued: number;
  queueTimeoutMs: number;
  clock: Clock;
}

export interface Gate {
  /** Runs the work when its turn comes; 503 with Retry-After when too many wait, or it waited too long. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

interface State {
  running: number;
  /** In the order they came. Calling one starts it. */
  waiting: Set<() => void>;
}

export function createGate(options: GateOptions): Gate {
  const state: State = { running: 0, waiting: new Set() };
  return {
    async run(work) {
      if (state.running >= options.maxConcurrent) await wait(state, options);
      else state.running += 1;
      try {
        return await work();
      } finally {
        leave(state);
      }
    },
  };
}

/** Resolves when a place was handed over, so that nobody who came later can take it in between. */
async function wait(state: State, { maxQueued, queueTimeoutMs, clock }: GateOptions): Promise<void> {
  if (state.waiting.size >= maxQueued) throw busy();
  const served = new AbortController();
  const start = () => {
    state.waiting.delete(start);
    served.abort();
  };
  state.waiting.add(start);
  await clock.sleep(queueTimeoutMs, served.signal);
  if (served.signal.aborted) return;
  state.waiting.delete(start);
  throw busy();
}

function leave(state: State): void {
  const [next] = state.waiting;
  if (next === undefined) state.running -= 1;
  else next();
}

function busy(): Failure {
  return new Failure(errors.unavailable, "Too many sign-ins at once; try again shortly", {
    headers: { "retry-after": "1" },
  });
}
