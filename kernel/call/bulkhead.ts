// Bounds what one service may hold of its callers: so many calls at a time, so many that wait, and no more.

import { errors, Failure } from "../contract/index.ts";
import type { Deadline } from "./deadline.ts";

export interface Bulkhead {
  /**
   * Takes a place; a promise where it has to be waited for. Throws 503 with Retry-After when too many wait.
   * The wait is part of the caller's time.
   */
  enter(deadline: Pick<Deadline, "signal">): Promise<void> | undefined;
  /** Gives the place back: to the next who waits. */
  leave(): void;
  /** Sends those who wait away. */
  refuseWaiting(failure: Failure): void;
}

export interface BulkheadOptions {
  service: string;
  inFlightMax: number;
  waitingMax: number;
}

interface Waiting {
  enter(): void;
  refuse(failure: Failure): void;
}

export function createBulkhead({ service, inFlightMax, waitingMax }: BulkheadOptions): Bulkhead {
  let inFlight = 0;
  const queue = new Set<Waiting>();
  return {
    enter(deadline) {
      if (inFlight < inFlightMax) {
        inFlight++;
        return undefined;
      }
      if (queue.size >= waitingMax)
        throw new Failure(errors.unavailable, `Too many calls of service ${service} are waiting`, {
          headers: { "retry-after": "1" },
        });
      return wait(queue, deadline.signal);
    },
    leave() {
      const [next] = queue;
      if (next === undefined) inFlight--;
      else next.enter();
    },
    refuseWaiting(failure) {
      for (const { refuse } of queue) refuse(failure);
    },
  };
}

function wait(queue: Set<Waiting>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leaveQueue = () => {
      queue.delete(waiting);
      signal.removeEventListener("abort", onAbort);
    };
    const refuse = (reason: Failure) => {
      leaveQueue();
      reject(reason);
    };
    const onAbort = () => refuse(signal.reason as Failure);
    const enter = () => {
      leaveQueue();
      resolve();
    };
    const waiting = { enter, refuse };
    if (signal.aborted) return onAbort();
    queue.add(waiting);
    signal.addEventListener("abort", onAbort);
  });
}
