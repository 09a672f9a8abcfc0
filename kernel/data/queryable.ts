// The shapes everything that touches a database is written against.

export interface Row {
  [column: string]: unknown;
}

/** SQL with `$1`. With a `name` the server parses and plans it once per connection; one name has one text. */
export type Statement = string | { name: string; text: string };

export interface QueryResult<R extends Row = Row> {
  rows: R[];
  /** Rows returned, or changed by a statement that returns none. */
  rowCount: number;
}

/** Something that runs SQL: a database or a transaction. */
export interface Queryable {
  /**
   * Runs one statement. Answers a broken database rule with the driver's error (see `mapConstraint`)
   * and everything that means "not now" with a Failure `UNAVAILABLE`.
   * An array among the values is a PostgreSQL array, an object is JSON: stringify what goes into a
   * json column yourself when it may be an array. Without values a text may hold several statements.
   */
  query<R extends Row = Row>(sql: Statement, values?: readonly unknown[]): Promise<QueryResult<R>>;
  /** Set for one of many who read from the same database: their reads may be sent together. */
  readonly shared?: SharedReads;
}

export interface SharedReads {
  readonly db: Cancellable;
  /** Calls `run` with the reason when this one need no longer be answered; what is returned takes it back. */
  onAbort(run: (reason: unknown) => void): () => void;
}

export interface Cancellable extends Queryable {
  /** A signal that aborts rejects with its reason, and has the statement cancelled when it does not end in a moment. */
  query<R extends Row = Row>(
    sql: Statement,
    values?: readonly unknown[],
    options?: { signal?: AbortSignal },
  ): Promise<QueryResult<R>>;
}

/** A transaction while it is open. Its statements may be sent without waiting for each other; they run in order. */
export interface Tx extends Queryable {
  /** Runs as the last work of the transaction, in order; may send statements, and refuses the commit by throwing. */
  beforeCommit(run: () => Promise<void>): void;
  /** Runs after a successful commit, in order, never after a rollback. Must not throw; errors are logged. */
  afterCommit(run: () => void): void;
}

export interface TransactionOptions {
  /** Cancels the running statement, rolls back, and rejects with the signal's reason. Too late once COMMIT is sent. */
  signal?: AbortSignal;
  /** For long work such as a migration or a purge; 0 means no limit. The database's own limit otherwise. */
  statementTimeoutMs?: number;
}
