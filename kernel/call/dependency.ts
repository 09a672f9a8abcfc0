// What every call of another service goes through, and every request that is handed on to one: a bulkhead, a circuit
// breaker, retries within a budget. The same for a service of this process as for one elsewhere.
//
// A dependency is one service as one other sees it. In one process as in many, orders finding catalog ill says
// nothing about how identity finds it: they may be in different networks, and ask different things.

import type { Clock, Logger, Random } from "../base/index.ts";
import { errors, Failure } from "../contract/index.ts";
import { type Breaker, createBreaker, type Verdict } from "./breaker.ts";
import { type Bulkhead, createBulkhead } from "./bulkhead.ts";
import type { Deadline } from "./deadline.ts";
import { createRetryBudget, type RetryBudget } from "./retry-budget.ts";

export interface Retry {
  /** How often at most, within the budget that all calls share. */
  readonly max: number;
  /** The longest wait before the first; doubles with each. */
  readonly backoffMs: number;
  /** Whether a failure that the service itself answered with, or that it was not reached, is one to try again after. */
  may(failure: Failure): boolean;
}

export interface Dependency {
  /**
   * Does `work` when its turn comes, and perhaps again. Refuses with 503 and Retry-After, at once, while the service
   * is ill or too many wait for it. `answered` says early that the service is well: what fails after is not repeated.
   */
  run<T>(work: (answered: () => void) => Promise<T>, options: { deadline: Deadline; retry: Retry }): Promise<T>;
}

export interface Dependencies {
  of(from: string, service: string): Dependency;
}

export interface DependencyOptions {
  clock: Clock;
  random: Random;
  log: Logger;
  /** For each service as another one sees it. */
  inFlightMax?: number;
  waitingMax?: number;
}

/** Fewer than the connections to a service, so that events and health checks find one. */
const inFlightMax = 100;
/** Together with those in flight half of what a server works on: one service that hangs leaves room for the others. */
const waitingMax = 400;

interface State {
  readonly clock: Clock;
  readonly random: Random;
  readonly breaker: Breaker;
  readonly bulkhead: Bulkhead;
  readonly budget: RetryBudget;
}

export function createDependencies(options: DependencyOptions): Dependencies {
  const dependencies = new Map<string, Map<string, Dependency>>();
  return {
    of(from, service) {
      let ofOne = dependencies.get(from);
      if (ofOne === undefined) dependencies.set(from, (ofOne = new Map()));
      let dependency = ofOne.get(service);
      if (dependency === undefined) ofOne.set(service, (dependency = createDependency(options, from, service)));
      return dependency;
    },
  };
}

function createDependency(options: DependencyOptions, from: string, service: string): Dependency {
  const { clock, random, log } = options;
  const bulkhead = createBulkhead({
    service,
    inFlightMax: options.inFlightMax ?? inFlightMax,
    waitingMax: options.waitingMax ?? waitingMax,
  });
  const breaker = createBreaker({
    service,
    clock,
    onChange(state, counted) {
      if (state === "open") {
        log.warn({ from, to: service, ...counted }, "Calls of a service are refused: too many of them found it ill");
        bulkhead.refuseWaiting(
          new Failure(errors.unavailable, `Service ${service} is not available at the moment`, {
            headers: { "retry-after": "1" },
          }),
        );
      } else log.info({ from, to: service, state }, "The circuit to a service changed");
    },
  });
  const state: State = { clock, random, breaker, bulkhead, budget: createRetryBudget(clock) };
  return { run: (work, { deadline, retry }) => run(state, work, deadline, retry) };
}

async function run<T>(
  state: State,
  work: (answered: () => void) => Promise<T>,
  deadline: Deadline,
  retry: Retry,
): Promise<T> {
  const { breaker, bulkhead } = state;
  state.budget.called();
  for (let tries = 0; ; tries++) {
    breaker.check();
    // Awaited only where there is something to wait for: a turn of the event loop is most of a local call.
    const turn = bulkhead.enter(deadline);
    if (turn !== undefined) await turn;
    let waitMs: number;
    try {
      const circuit = breaker.begin();
      let isAnswered = false;
      const answered = () => {
        if (!isAnswered) breaker.end(circuit, "well");
        isAnswered = true;
      };
      try {
        const result = await work(answered);
        answered();
        return result;
      } catch (error) {
        if (isAnswered) throw error;
        const verdict = verdictOf(error, deadline);
        breaker.end(circuit, verdict);
        if (verdict !== "ill" || tries === retry.max || !retry.may(error as Failure)) throw error;
        waitMs = backoffMs(state.random, retry.backoffMs * 2 ** tries);
        if (waitMs >= deadline.remainingMs() || !state.budget.take()) throw error;
      }
    } finally {
      bulkhead.leave();
    }
    if (waitMs > 0) {
      await state.clock.sleep(waitMs, deadline.signal);
      deadline.signal.throwIfAborted();
    }
  }
}

/** Whatever it answered, a service that answers is well. What is ill deeper down is for its own caller to find. */
function verdictOf(error: unknown, deadline: Deadline): Verdict {
  if (!(error instanceof Failure) || error.hops > 0) return "well";
  const { code } = error;
  if (code !== errors.unavailable.code && code !== errors.deadlineExceeded.code) return "well";
  return deadline.remainingMs() > 0 && deadline.signal.aborted ? "neither" : "ill";
}

/** By chance anything up to the full wait, so that those who failed together do not come back together. */
function backoffMs(random: Random, fullMs: number): number {
  const [high, low] = random.bytes(2);
  return Math.round((fullMs * (high! * 256 + low!)) / 65_536);
}
