// Work of several callers in one transaction.
//
// Most of what a small transaction costs is not its work: BEGIN, COMMIT and the flush behind it, and one round trip
// after the other. Those who come while others are under way gather, and go together when those are done, so the
// groups grow with the load, and who comes alone waits for nobody. A group that is held up, by a lock, holds up
// the next one for `patienceMs`.
//
// Nobody pays for another. When the transaction fails, whoever's fault it was, all of it is rolled back and each
// member runs again alone; so it is when the signal of one aborts, since what it did is in there too. Only what
// would be the same for each (no connection), or may have been committed, is the answer for all.

import { afterThisTurn, type Clock } from "../base/index.ts";
import type { Database } from "./database.ts";
import { orAbort } from "./or-abort.ts";
import { commitOutcomeUnknown } from "./pg-errors.ts";
import type { Tx } from "./queryable.ts";

/** What became of one member. */
export type Part<O> = { value: O } | { refused: unknown };

export interface TogetherOptions<I, O> {
  database: Pick<Database, "transaction">;
  clock: Clock;
  /**
   * Does the work of all, and answers for each in their order. One that is refused must have changed nothing: the
   * others are committed. May run again, as in every transaction.
   */
  run(tx: Tx, inputs: readonly I[]): Promise<readonly Part<O>[]>;
  /** Members of one transaction. */
  sizeMax?: number;
  /** How long to wait for those under way before starting beside them. */
  patienceMs?: number;
  /** Groups at a time. */
  groupsMax?: number;
}

/** Resolves when the transaction of its group has been committed. */
export type Together<I, O> = (input: I, signal: AbortSignal | undefined) => Promise<O>;

interface Member<I, O> {
  readonly input: I;
  readonly signal: AbortSignal | undefined;
  resolve(value: O): void;
  reject(error: unknown): void;
}

interface State<I, O> {
  readonly options: TogetherOptions<I, O>;
  waiting: Member<I, O>[];
  groups: number;
  /** Ends the wait for those under way. */
  patience: AbortController | undefined;
}

const defaults = { sizeMax: 32, patienceMs: 20, groupsMax: 4 };

export function createTogether<I, O>(options: TogetherOptions<I, O>): Together<I, O> {
  const state: State<I, O> = { options, waiting: [], groups: 0, patience: undefined };
  return async (input, signal) => {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<O>();
    state.waiting.push({ input, signal, resolve, reject });
    if (state.waiting.length === 1) afterThisTurn(() => depart(state));
    return orAbort(promise, signal);
  };
}

/** Starts a group of those who wait, unless it is better that they wait for more. */
function depart<I, O>(state: State<I, O>, isPatient = true): void {
  const { sizeMax = defaults.sizeMax, groupsMax = defaults.groupsMax } = state.options;
  state.waiting = state.waiting.filter(isPresent);
  while (state.waiting.length > 0 && state.groups < groupsMax) {
    if (isPatient && state.groups > 0 && state.waiting.length < sizeMax) return waitPatiently(state);
    state.patience?.abort("over");
    state.patience = undefined;
    const members = state.waiting.splice(0, sizeMax);
    state.groups++;
    void runGroup(state.options, members).then(() => {
      state.groups--;
      depart(state);
    });
  }
}

function waitPatiently<I, O>(state: State<I, O>): void {
  if (state.patience !== undefined) return;
  const { clock, patienceMs = defaults.patienceMs } = state.options;
  const over = (state.patience = new AbortController());
  void clock.sleep(patienceMs, over.signal).then(() => {
    if (!over.signal.aborted) depart(state, false);
  });
}

/** Never rejects. Resolves when the group is over, which those who run again alone are not. */
async function runGroup<I, O>(options: TogetherOptions<I, O>, members: readonly Member<I, O>[]): Promise<void> {
  const attempt = { hasRun: false };
  try {
    const settled = await inOneTransaction(options, members, attempt);
    for (const [member, part] of settled)
      if ("value" in part) member.resolve(part.value);
      else member.reject(part.refused);
  } catch (error) {
    const isForAll = members.length === 1 || !attempt.hasRun || commitOutcomeUnknown(error);
    for (const member of members)
      if (isForAll) member.reject(error);
      else if (isPresent(member)) void runGroup(options, [member]);
  }
}

async function inOneTransaction<I, O>(
  { database, run }: TogetherOptions<I, O>,
  members: readonly Member<I, O>[],
  attempt: { hasRun: boolean },
): Promise<[Member<I, O>, Part<O>][]> {
  const presence = watchPresence(members);
  try {
    return await database.transaction(
      async (tx) => {
        attempt.hasRun = true;
        const present = members.length === 1 ? members : members.filter(isPresent);
        const parts = await run(
          tx,
          present.map(({ input }) => input),
        );
        // Until COMMIT is sent, who has gone has done nothing.
        for (const { signal } of present) signal?.throwIfAborted();
        return present.map((member, index) => [member, parts[index]!]);
      },
      presence.signal === undefined ? {} : { signal: presence.signal },
    );
  } finally {
    presence.end();
  }
}

function isPresent({ signal }: { signal: AbortSignal | undefined }): boolean {
  return signal?.aborted !== true;
}

/** A signal that aborts when nobody waits any more. */
function watchPresence(members: readonly { signal: AbortSignal | undefined }[]) {
  if (members.length === 1) return { signal: members[0]!.signal, end: () => {} };
  const everybodyGone = new AbortController();
  let present = members.length;
  const onAbort = () => {
    if (--present === 0) everybodyGone.abort(new Error("Nobody waits for this transaction any more"));
  };
  for (const { signal } of members) signal?.addEventListener("abort", onAbort);
  return {
    signal: everybodyGone.signal,
    end: () => {
      for (const { signal } of members) signal?.removeEventListener("abort", onAbort);
    },
  };
}
