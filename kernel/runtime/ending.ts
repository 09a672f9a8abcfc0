// How a process ends: in which order, and that it is over in ten seconds whatever hangs.
//
//   0 s      not ready; every answer says `Connection: close`; everything is served (the lead)
//   lead     accepts nothing new, answers what it has, closes what is idle
//   7 s      what is not answered yet is cut
//   then     hands over no more events and takes none, finishes those in hand; cut at 8 s, and they come again
//   then     closes its databases, its connections to others, its own PostgreSQL
//   9.5 s    ends as it is (cli/life.ts)

import type { Clock, Logger } from "../base/index.ts";

export interface StopOptions {
  /** How long it serves on for those who have not heard that it ends. Default: as configured. */
  leadMs?: number;
  /** Another process accepts at the same socket already: this one takes no new connections from the beginning. */
  replaced?: boolean;
  /** When requests that run are cut, counted from the beginning. Default: two seconds before all is over. */
  graceMs?: number;
  /** When all is over. Default: nine seconds. */
  withinMs?: number;
}

export const withinDefaultMs = 9_000;
/** For events and jobs, and for closing. */
export const afterRequestsMs = 2_000;
const eventsMinMs = 1_000;
const eventsMaxMs = 6_000;
const closeMs = 500;

export type Step = () => Promise<unknown>;

export interface Ending {
  /** Called when the end begins. */
  begin(withinMs: number): void;
  /** How long events and jobs may take that are in hand. */
  leftForEvents(): number;
  /** Runs steps one after the other, the last first. One that fails or hangs does not keep the others from running. */
  undo(steps: Step[]): Promise<void>;
}

export function createEnding(clock: Clock, log: Logger): Ending {
  let untilMs = Number.POSITIVE_INFINITY;
  const left = () => untilMs - clock.nowMs();
  return {
    begin: (withinMs) => void (untilMs = clock.nowMs() + withinMs),
    leftForEvents: () => Math.max(eventsMinMs, Math.min(left() - eventsMinMs, eventsMaxMs)),
    async undo(steps) {
      for (const step of steps.splice(0).toReversed())
        try {
          const late = await within(clock, Math.max(closeMs, left()), step);
          if (late) log.warn({}, "A step of stopping took too long and was left behind");
        } catch (err) {
          log.warn({ err }, "A step of stopping failed");
        }
    },
  };
}

/** Closes what somebody may still hold who was cut, and will not give it back. */
export async function closeSoon(clock: Clock, close: Step): Promise<void> {
  if (await within(clock, closeMs, close)) throw new Error("Somebody still uses it");
}

/** Whether the time was over first. */
async function within(clock: Clock, ms: number, step: Step): Promise<boolean> {
  const done = new AbortController();
  const late = Number.isFinite(ms) ? clock.sleep(ms, done.signal).then(() => !done.signal.aborted) : undefined;
  try {
    return await Promise.race([step().then(() => false), ...(late === undefined ? [] : [late])]);
  } finally {
    done.abort("done");
  }
}
