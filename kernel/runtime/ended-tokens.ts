// What ended access tokens, for processes without the service that knows.
//
// That service reads it in its own database; all others ask it, as often. While it is not reached, tokens that
// were ended lately still pass where nobody heard of it, for 15 minutes at most; before the first answer a process does not serve.

import type { Revocation, Revocations } from "../auth/index.ts";
import type { Clock, Logger } from "../base/index.ts";
import { type Calls, createDeadline } from "../call/index.ts";
import type { Named, Operation, TSchema } from "../contract/index.ts";

/** One change: `id` names a session or API key, else a user. `roles` are those the user has from then on. */
export interface EndedToken {
  kind: Revocation["kind"];
  id: string;
  roles: string[] | null;
  at: string;
}

/**
 * The operation, for services only, that answers what ended tokens since a moment, and until when that is
 * complete; since null, what a token that lives now may meet.
 */
export type EndedTokensOperation = Named<
  Operation<
    Record<never, TSchema>,
    Record<never, TSchema>,
    { since: string | null },
    { until: string; ended: EndedToken[] }
  >
>;

export interface EndedTokensOptions {
  operation: EndedTokensOperation;
  revocations: Revocations;
  calls: Calls;
  clock: Clock;
  log: Logger;
}

/** With the answer itself, well within the five seconds that clients are promised. */
const everyMs = 2_000;
const timeoutMs = 2_000;
const firstTriesEveryMs = 500;

/** Resolves with the first answer; stop it with the returned function. */
export async function followEndedTokens(options: EndedTokensOptions): Promise<() => Promise<void>> {
  const { clock, log } = options;
  const stopping = new AbortController();
  let since: string | null = null;
  const ask = async () => void (since = await askOnce(options, since));
  for (let tries = 0; ; tries++) {
    const answered = await ask().then(
      () => true,
      () => false,
    );
    if (answered) break;
    if (tries === 0) log.info({}, `Waiting for ${options.operation.service}`);
    await clock.sleep(firstTriesEveryMs, stopping.signal);
  }
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await clock.sleep(everyMs, stopping.signal);
      if (!stopping.signal.aborted)
        await ask().catch((err: unknown) => log.warn({ err }, "Ended tokens are not heard of"));
    }
  })();
  return async () => {
    stopping.abort();
    await loop;
  };
}

async function askOnce(
  { operation, revocations, calls, clock }: EndedTokensOptions,
  since: string | null,
): Promise<string> {
  const deadline = createDeadline(clock, timeoutMs);
  // By a name of its own: its circuit is no business of the requests that are handed on, nor theirs of it.
  const context = { from: "ended-tokens", requestId: "ended tokens", traceparent: undefined, deadline };
  const { until, ended } = await calls.call(operation, { body: { since } }, context).finally(() => deadline.end());
  revocations.apply(ended.map(revocationOf));
  return until;
}

function revocationOf({ kind, id, roles, at }: EndedToken): Revocation {
  const atMs = Date.parse(at);
  if (kind === "session") return { kind, sessionId: id, atMs };
  return kind === "user" ? { kind, userId: id, atMs } : { kind, userId: id, roles: roles ?? [], atMs };
}
