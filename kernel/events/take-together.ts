// Events of one type that were handed over at once, each the first of its aggregate, in one transaction.
//
// All or none: when it fails, nothing is noted of anybody, and each is taken alone, where its failure is its own.

import type { Envelope } from "../contract/index.ts";
import type { Tx } from "../data/index.ts";
import { joinLetters } from "./dead-letters.ts";
import type { EventsHandler, InboxOptions } from "./inbox.ts";
import { rememberAll } from "./memory.ts";

type InTransaction = (type: string, run: (tx: Tx, signal: AbortSignal) => Promise<void>) => Promise<void>;

/** For each event that went with others, whether they were dealt with. Events of different aggregates only. */
export type TakeTogether = (events: readonly Envelope[]) => ReadonlyMap<Envelope, Promise<boolean>>;

export function createTakeTogether(
  { together, log }: Pick<InboxOptions, "together" | "log">,
  inTransaction: InTransaction,
): TakeTogether {
  if (together === undefined || together.size === 0) return () => nobody;
  return (events) => {
    const taken = new Map<Envelope, Promise<boolean>>();
    for (const [type, group] of Map.groupBy(events, (event) => event.type)) {
      const handle = together.get(type);
      if (handle === undefined || group.length < 2) continue;
      const dealtWith = inTransaction(type, (tx, signal) => takeAll(group, handle, tx, signal)).then(
        () => true,
        (error: unknown) => {
          log.debug({ type, events: group.length, err: error }, "Events that failed together are taken one by one");
          return false;
        },
      );
      for (const event of group) taken.set(event, dealtWith);
    }
    return taken;
  };
}

const nobody: ReadonlyMap<Envelope, Promise<boolean>> = new Map();

async function takeAll(events: readonly Envelope[], handle: EventsHandler, tx: Tx, signal: AbortSignal): Promise<void> {
  const { fresh, behind } = await rememberAll(tx, events);
  const toHandle: Envelope[] = [];
  for (const event of events) {
    if (!fresh.has(event.id)) continue;
    if (!behind.has(event.aggregateId) || !(await joinLetters(tx, event))) toHandle.push(event);
  }
  if (toHandle.length > 0) await handle(toHandle, tx, signal);
}
