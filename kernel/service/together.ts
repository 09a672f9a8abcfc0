// Requests of one moment whose work is one transaction, statements included.
//
// A handler that is called often and does little spends its time on statements rather than rows. It can say how its
// work is done for many at once; what the platform adds to a transaction (records of Idempotency-Keys, deadlines) is
// then added for all of them at once too.

import type { Clock } from "../base/index.ts";
import { createTogether, type Part, type Together, type Tx } from "../data/index.ts";
import type { CallFacts, Context, ServiceParts } from "./context.ts";
import { claimRuns, type IdempotentRun, type RecordedRun, recordRuns, RunElsewhere } from "./idempotency.ts";

/** One request among those of a transaction. Its `ctx` emits and makes ids for it alone. */
export interface Member<I> {
  readonly ctx: Context;
  readonly input: I;
}

/** Work that `ctx.transactionTogether` does for several requests in one transaction. */
export interface SharedWork<I, O> {
  readonly run: (tx: Tx, members: readonly Member<I>[]) => Promise<readonly Part<O>[]>;
}

/**
 * Declares such work. `run` answers for each member in order, `{ value }` or `{ refused: failure }`. Among themselves
 * the members have no locks: what one takes, `run` must count against the next. A refused one must have changed
 * nothing; when `run` throws, everything is rolled back and each member runs again alone.
 */
export function together<I, O>(run: SharedWork<I, O>["run"]): SharedWork<I, O> {
  return { run };
}

interface Joined<I> extends Member<I> {
  readonly facts: CallFacts;
}

type AnyTogether = Together<Joined<unknown>, unknown>;

const opened = new WeakMap<ServiceParts, Map<SharedWork<never, unknown>, AnyTogether>>();

export function joinTransaction<I, O>(parts: ServiceParts, work: SharedWork<I, O>, joined: Joined<I>): Promise<O> {
  let ofService = opened.get(parts);
  if (ofService === undefined) opened.set(parts, (ofService = new Map()));
  let join = ofService.get(work) as Together<Joined<I>, O> | undefined;
  if (join === undefined) {
    const { database, clock } = parts;
    join = createTogether({ database, clock, run: (tx, all) => runAll(parts, work, tx, all) });
    ofService.set(work, join as AnyTogether);
  }
  return join(joined, joined.facts.deadline.signal);
}

async function runAll<I, O>(
  { cache, clock }: ServiceParts,
  work: SharedWork<I, O>,
  tx: Tx,
  all: readonly Joined<I>[],
): Promise<Part<O>[]> {
  const invalidates = all.flatMap(({ facts }) => facts.invalidates ?? []);
  if (invalidates.length > 0) cache.invalidate(tx, invalidates);
  const elsewhere = await runsElsewhere(tx, all, clock);
  const members = all.filter(({ facts }) => !elsewhere.has(facts.idempotent));
  const parts = members.length === 0 ? [] : await work.run(tx, members);
  await recordRuns(tx, recordedRuns(members, parts), clock);
  for (const { facts } of members) facts.deadline.check();
  const partOf = new Map(members.map((member, index) => [member, parts[index]!]));
  return all.map((one) => partOf.get(one) ?? { refused: new RunElsewhere("This Idempotency-Key is in use elsewhere") });
}

async function runsElsewhere(
  tx: Tx,
  all: readonly Joined<unknown>[],
  clock: Clock,
): Promise<Set<IdempotentRun | undefined>> {
  const runs = all.flatMap(({ facts }) => facts.idempotent ?? []);
  return runs.length === 0 ? new Set() : claimRuns(tx, runs, clock);
}

function recordedRuns(members: readonly Joined<unknown>[], parts: readonly Part<unknown>[]): RecordedRun[] {
  return members.flatMap(({ facts: { idempotent } }, index) => {
    const part = parts[index]!;
    return idempotent === undefined || !("value" in part) ? [] : { run: idempotent, result: part.value };
  });
}
