import type { Clock } from "../base/index.ts";

/** Wakes a loop early. A ring while nobody waits is kept, so none is lost between work and wait. */
export interface Bell {
  ring(): void;
  /** Returns after `ms`, or when rung. For one waiter. */
  wait(ms: number): Promise<void>;
}

export function createBell(clock: Clock): Bell {
  let rung = false;
  let waiting: AbortController | undefined;
  return {
    ring() {
      rung = true;
      waiting?.abort("rung");
    },
    async wait(ms) {
      if (!rung) {
        waiting = new AbortController();
        await clock.sleep(ms, waiting.signal);
        waiting = undefined;
      }
      rung = false;
    },
  };
}
