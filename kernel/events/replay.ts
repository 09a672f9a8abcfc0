// Replays dead letters that somebody asked for (admin.ts only marks them: the handlers live here).

import type { Logger } from "../base/index.ts";
import type { Envelope } from "../contract/index.ts";
import type { Database, Tx } from "../data/index.ts";
import {
  firstLetter,
  lockAggregate,
  reasonOf,
  refuseReplay,
  removeLetter,
  requestedAggregates,
} from "./dead-letters.ts";

/** Aggregates looked at in one round. */
const aggregatesMax = 100;

/** Runs `around` in one transaction; it calls `handle` where the event's handler belongs. */
export type Apply = (event: Envelope, around: (tx: Tx, handle: () => Promise<void>) => Promise<void>) => Promise<void>;

export interface ReplayOptions {
  log: Logger;
  /** Whether a failure says nothing about the event; the letter then stays marked for the next round. */
  isUnavailable: (error: unknown) => boolean;
  mayGo: () => boolean;
}

/** Replays every marked aggregate in order, each until a letter fails again. Returns how many letters went. */
export async function replayRequested(database: Database, apply: Apply, options: ReplayOptions): Promise<number> {
  let replayed = 0;
  let unavailable: unknown;
  for (const aggregateId of await requestedAggregates(database, aggregatesMax)) {
    try {
      while (options.mayGo() && (await replayFirst(database, aggregateId, apply, options))) replayed += 1;
    } catch (error) {
      unavailable = error;
    }
  }
  if (unavailable !== undefined) throw unavailable;
  return replayed;
}

/** Replays the first letter of an aggregate; false when there is none to go on with. */
async function replayFirst(
  database: Database,
  aggregateId: string,
  apply: Apply,
  { log, isUnavailable }: ReplayOptions,
): Promise<boolean> {
  const letter = await firstLetter(database, aggregateId);
  if (letter === undefined || letter.replay_requested_at === null) return false;
  try {
    await apply(letter.envelope, async (tx, handle) => {
      await lockAggregate(tx, aggregateId);
      // Another process of the service may have been first.
      const first = await firstLetter(tx, aggregateId);
      if (first?.event_id !== letter.event_id || first.replay_requested_at === null) return;
      await handle();
      await removeLetter(tx, letter.event_id);
    });
    return true;
  } catch (error) {
    if (isUnavailable(error)) throw error;
    await refuseReplay(database, letter, reasonOf(error));
    log.warn(
      { eventId: letter.envelope.id, type: letter.envelope.type, aggregateId, err: error },
      "A dead letter failed again when it was replayed",
    );
    return false;
  }
}
