// One transaction: BEGIN, the work, COMMIT, and every way that can go wrong.
//
// A connection is lent for the whole of it, from a bounded pool of its own: a transaction that
// waits for a lock must not hold up reads. The three outcomes are kept apart: committed, not
// committed, and "COMMIT was sent and the connection died", which only the caller can resolve.

import type pg from "pg";
import type { Clock, Logger } from "../base/index.ts";
import { abandon, send } from "./connection.ts";
import { orAbort } from "./or-abort.ts";
import { breaksConnection, commitUnknown, connectFailure, failureOf, isAnswer, isRetryable } from "./pg-errors.ts";
import type { TransactionOptions, Tx } from "./queryable.ts";

/** How often a transaction that lost a deadlock or a serialization conflict is run again. */
const retriesMax = 3;
/** Times the number of the try. At once would often meet the winner, not yet awake, and take the same lock again. */
const backoffMs = 10;

export interface TransactionSource {
  pool: pg.Pool;
  log: Logger;
  clock: Clock;
  /** How long to wait for the answer to a statement, see `answerTimeoutMs`. */
  answerTimeoutMs(statementTimeoutMs: number): number;
}

interface Attempt {
  client: pg.PoolClient;
  /** Set by the first statement that fails; from then on the server refuses all others. */
  firstError: unknown;
  ended: boolean;
  beforeCommit: (() => Promise<void>)[];
  afterCommit: (() => void)[];
  timeoutMs: number | undefined;
}

export async function runTransaction<T>(
  source: TransactionSource,
  run: (tx: Tx) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  for (let retries = 0; ; retries++) {
    options.signal?.throwIfAborted();
    const attempt = await newAttempt(source, options);
    try {
      const result = await runAttempt(attempt, run, options);
      runAfterCommit(attempt, source.log);
      return result;
    } catch (error) {
      // Judged by what happened in the database, not by what `run` made of it.
      const retry = isRetryable(attempt.firstError ?? error) && retries < retriesMax && !options.signal?.aborted;
      // An error of `run` itself is passed on as it is.
      if (!retry) throw isAnswer(error) ? failureOf(error) : error;
      source.log.debug({ err: error, retries: retries + 1 }, "A transaction is run again");
      await source.clock.sleep(backoffMs * (retries + 1), options.signal);
    }
  }
}

async function newAttempt(
  source: TransactionSource,
  { signal, statementTimeoutMs }: TransactionOptions,
): Promise<Attempt> {
  const client = await acquire(source.pool, signal);
  const timeoutMs = statementTimeoutMs === undefined ? undefined : source.answerTimeoutMs(statementTimeoutMs);
  return { client, firstError: undefined, ended: false, beforeCommit: [], afterCommit: [], timeoutMs };
}

async function acquire(pool: pg.Pool, signal: AbortSignal | undefined): Promise<pg.PoolClient> {
  const acquired = pool.connect();
  try {
    return await orAbort(acquired, signal);
  } catch (error) {
    // The pool cannot forget one who waits: what arrives too late is given back.
    void acquired.then((client) => client.release()).catch(() => {});
    throw signal?.aborted ? error : connectFailure(error);
  }
}

async function runAttempt<T>(
  attempt: Attempt,
  run: (tx: Tx) => Promise<T>,
  { signal, statementTimeoutMs }: TransactionOptions,
): Promise<T> {
  const { client } = attempt;
  // A connection that dies between two statements says so here; without a listener the process would end.
  const onError = (error: unknown) => (attempt.firstError ??= error);
  client.on("error", onError);
  let abandoned = false;
  try {
    // Awaited, though the pipeline would allow not to: were BEGIN refused, what follows would commit by itself.
    await begin(attempt, statementTimeoutMs);
    signal?.throwIfAborted();
    const result = await orAbort(run(txOf(attempt)), signal);
    for (const last of attempt.beforeCommit) await orAbort(last(), signal);
    attempt.ended = true;
    await commit(attempt);
    return result;
  } catch (error) {
    attempt.ended = true;
    abandoned = signal?.aborted === true;
    if (abandoned) abandon(client);
    else await rollback(attempt);
    throw error;
  } finally {
    client.off("error", onError);
    // "I" is the server's word that no transaction is open. Whoever comes next relies on it.
    const reusable = !abandoned && !breaks(attempt.firstError) && client.getTransactionStatus() === "I";
    client.release(!reusable);
  }
}

async function begin(attempt: Attempt, statementTimeoutMs: number | undefined): Promise<void> {
  const limit =
    statementTimeoutMs === undefined ? "" : `; set local statement_timeout = ${Math.trunc(statementTimeoutMs)}`;
  try {
    await send(attempt.client, `begin${limit}`, undefined, attempt.timeoutMs);
  } catch (error) {
    attempt.firstError ??= error;
    throw connectFailure(error);
  }
}

function txOf(attempt: Attempt): Tx {
  return {
    async query(sql, values) {
      if (attempt.ended)
        throw new Error("This transaction has ended. Await every statement before its function returns.");
      try {
        const { rows, rowCount } = await send(attempt.client, sql, values, attempt.timeoutMs);
        return { rows: rows as never[], rowCount };
      } catch (error) {
        attempt.firstError ??= error;
        throw failureOf(error);
      }
    },
    beforeCommit: (run) => void attempt.beforeCommit.push(run),
    afterCommit: (run) => void attempt.afterCommit.push(run),
  };
}

async function commit(attempt: Attempt): Promise<void> {
  let command: string;
  try {
    ({ command } = await send(attempt.client, "commit", undefined, attempt.timeoutMs));
  } catch (error) {
    attempt.firstError ??= error;
    // An answer (a deferred constraint, a serialization conflict) means that it was not committed.
    throw isAnswer(error) ? error : commitUnknown(error);
  }
  // PostgreSQL answers COMMIT after a failed statement by rolling back, and does not call that an error.
  if (command !== "COMMIT") {
    throw new Error(
      "The transaction was rolled back, because a statement in it had failed and the error was not passed on.",
      {
        cause: attempt.firstError,
      },
    );
  }
}

async function rollback(attempt: Attempt): Promise<void> {
  if (breaks(attempt.firstError)) return;
  try {
    await send(attempt.client, "rollback", undefined);
  } catch (error) {
    // The server rolls back by itself when the connection is gone.
    attempt.firstError = error;
  }
}

function breaks(error: unknown): boolean {
  return error !== undefined && breaksConnection(error);
}

function runAfterCommit(attempt: Attempt, log: Logger): void {
  for (const run of attempt.afterCommit) {
    try {
      run();
    } catch (error) {
      log.error({ err: error }, "Work after a commit failed; the commit stands");
    }
  }
}
