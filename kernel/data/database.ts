// A service's database: shared pipelined connections for single statements, a bounded pool for
// transactions. Either way a lost server costs the statements that were under way and nothing else;
// connections are opened again when they are needed.

import pg from "pg";
import type { Clock, Logger } from "../base/index.ts";
import { answerTimeoutMs, clientConfig, type ConnectionOptions } from "./connection.ts";
import { connectFailure, unavailable } from "./pg-errors.ts";
import type { Cancellable, TransactionOptions, Tx } from "./queryable.ts";
import { createReaders } from "./readers.ts";
import { runTransaction } from "./transaction.ts";

export interface Database extends Cancellable {
  /**
   * Runs `run` in a transaction (read committed) and commits what it did when it returns.
   *
   * A deadlock or serialization conflict rolls back and runs it again, up to three times: outside
   * its `tx`, `run` must do nothing that may not be repeated. When the connection dies during COMMIT
   * the failure is marked (`commitOutcomeUnknown`). A full pool is refused after `acquireTimeoutMs`.
   */
  transaction<T>(run: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** How long a round trip takes, in milliseconds. Rejects when the database does not answer. */
  ping(): Promise<number>;
  /**
   * Opens connections now, so that the first requests do not wait for them. Rejects when the database does not answer;
   * they are then opened when they are needed.
   */
  warmUp(): Promise<void>;
  /** Lets what runs finish, refuses what comes after. Safe to repeat. */
  close(): Promise<void>;
}

export interface DatabaseOptions extends ConnectionOptions {
  log: Logger;
  clock: Clock;
  /** Transactions at a time. */
  max?: number;
  /** Connections for statements outside transactions. */
  readers?: number;
  /** How long a transaction waits for a connection. */
  acquireTimeoutMs?: number;
}

/** Transactions that a process can begin at once when it starts to serve. */
const openedAhead = 3;

/** Opens nothing yet: the first statement does. A database that is down is thus no reason not to start. */
export function createDatabase(options: DatabaseOptions): Database {
  const config = clientConfig(options);
  const readers = createReaders(config, { ...options, size: options.readers ?? 4 });
  const pool = new pg.Pool({
    ...config,
    max: options.max ?? 10,
    connectionTimeoutMillis: options.acquireTimeoutMs ?? 5_000,
    idleTimeoutMillis: 60_000,
  });
  pool.on("error", (error) => options.log.warn({ err: error }, "An idle database connection was lost"));
  const source = {
    pool,
    log: options.log,
    clock: options.clock,
    answerTimeoutMs: (statementTimeoutMs: number) => answerTimeoutMs(options, statementTimeoutMs),
  };
  let closing: Promise<void> | undefined;
  return {
    query: readers.query,
    async transaction(run, transactionOptions = {}) {
      if (closing !== undefined) throw unavailable("The database connection is closed");
      return runTransaction(source, run, transactionOptions);
    },
    async ping() {
      const startMs = options.clock.nowMs();
      await readers.query("select 1");
      return options.clock.nowMs() - startMs;
    },
    async warmUp() {
      await Promise.all([readers.open(), ...Array.from({ length: openedAhead }, () => openOne(pool))]);
    },
    close: () => (closing ??= Promise.all([readers.close(), pool.end()]).then(() => {})),
  };
}

async function openOne(pool: pg.Pool): Promise<void> {
  const client = await pool.connect().catch((error: unknown) => {
    throw connectFailure(error);
  });
  client.release();
}
