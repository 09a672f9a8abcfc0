// How long an answer is waited for: at most `msMax`, whoever asked.
//
// While something is waited for, one look is taken every half of it. What was there already at the look before
// the last is late, and with it everything that waits: answers come in the order of the questions. One
// timer for all, no reading of the clock for each, and a clock that is set back makes nobody wait for longer.

import type { Clock } from "../base/index.ts";
import { RedisDown } from "./redis-down.ts";

export interface Patience {
  /** Settles as the answer does, or rejects with RedisDown when it is late. */
  wait<T>(answer: Promise<T>): Promise<T>;
  /** Rejects what waits, and looks no more. */
  end(): void;
}

interface Waiting {
  readonly sinceLook: number;
  giveUp(): void;
}

/** `late` is called before those who wait are told, once for all of them. */
export function createPatience(clock: Clock, msMax: number, late: () => void): Patience {
  const waiting = new Set<Waiting>();
  const ended = new AbortController();
  let looks = 0;
  let looking = false;

  const look = async () => {
    looking = true;
    while (waiting.size > 0 && !ended.signal.aborted) {
      await clock.sleep(msMax / 2, ended.signal);
      looks++;
      if (!isLate()) continue;
      // This process may be what was late: what has arrived in the meantime is read before anybody is blamed.
      await clock.sleep(0, ended.signal);
      if (isLate()) giveUp(late);
    }
    looking = false;
  };
  const isLate = () => {
    const [oldest] = waiting;
    return oldest !== undefined && oldest.sinceLook < looks - 1;
  };
  const giveUp = (first: () => void) => {
    const all = [...waiting];
    waiting.clear();
    first();
    for (const one of all) one.giveUp();
  };
  return {
    wait: (answer) =>
      new Promise((resolve, reject) => {
        const one = { sinceLook: looks, giveUp: () => reject(new RedisDown()) };
        waiting.add(one);
        answer.then(resolve, reject).finally(() => waiting.delete(one));
        if (!looking) void look();
      }),
    end() {
      ended.abort();
      giveUp(() => {});
    },
  };
}
