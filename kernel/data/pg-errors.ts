// What a failed statement means to the caller.
//
// Three kinds. A broken rule of the database (a constraint) is for the code beside the query to
// translate. "Not now" (no connection, no room, out of time) becomes a Failure UNAVAILABLE here,
// once. The rest is a bug and stays the driver's error: a 500 with the cause in the log.

import pg from "pg";
import { errors, Failure } from "../contract/index.ts";

const codes = {
  serializationFailure: "40001",
  deadlockDetected: "40P01",
  featureNotSupported: "0A000",
  queryCanceled: "57014",
  unknownStatement: "26000",
  readOnlyTransaction: "25006",
};

/** The constraint that a statement violated (unique, foreign key, check, exclusion), by name. */
export function constraintOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError && error.code?.startsWith("23") ? error.constraint : undefined;
}

/**
 * The failure declared for the violated constraint, or the error itself when there is none:
 * `catch (error) { throw mapConstraint(error, { users_email_key: () => conflict("This email is taken") }); }`
 * A violation spoils its transaction: throw the result, never go on.
 */
export function mapConstraint(error: unknown, failures: Readonly<Record<string, (cause: unknown) => Error>>): unknown {
  const constraint = constraintOf(error);
  if (constraint === undefined || !Object.hasOwn(failures, constraint)) return error;
  return failures[constraint]!(error);
}

/** Whether the same transaction, run again, may succeed: it lost against another one. */
export function isRetryable(error: unknown): boolean {
  const code = codeOf(error);
  return code === codes.serializationFailure || code === codes.deadlockDetected || isStaleStatement(error);
}

/**
 * Whether a prepared statement is out of date: a migration changed the table behind it, or a pooler
 * between us and the server dropped it. It was not run; another connection will prepare it anew.
 */
export function isStaleStatement(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  if (error.code === codes.featureNotSupported) return error.routine === "RevalidateCachedQuery";
  return error.code === codes.unknownStatement;
}

/** Whether the server stopped a statement before its end: on request, or because it took too long. It had no effect. */
export function isCanceled(error: unknown): boolean {
  return codeOf(error) === codes.queryCanceled;
}

/** Whether a connection must not be used again after this. */
export function breaksConnection(error: unknown): boolean {
  return isConnectionTrouble(error) || isStaleStatement(error) || codeOf(error) === codes.readOnlyTransaction;
}

/** Whether the server answered with an error and lives on; otherwise what it did is unknown. */
export function isAnswer(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === "ERROR";
}

/**
 * The error for the caller: UNAVAILABLE when this is one of "not now", else the error as it is.
 * For what the driver throws only: other errors may speak of timeouts too.
 */
export function failureOf(error: unknown): unknown {
  const notNow = isConnectionTrouble(error) || (isAnswer(error) && notNowCode.test(codeOf(error) ?? ""));
  return notNow ? connectFailure(error) : error;
}

/** Whatever kept us from connecting, a wrong password included: the caller can only come back. */
export function connectFailure(cause: unknown): Failure {
  return cause instanceof Failure ? cause : unavailable("The database is not available at the moment", cause);
}

export function unavailable(message: string, cause?: unknown): Failure {
  return new Failure(errors.unavailable, message, { headers: { "retry-after": "1" }, cause });
}

// 08 connection, 53 resources, 57 operator (statement timeout, shutdown), 58 system; 25P0x time in a
// transaction; 40 lost again and again; 55P03 lock timeout; 25006 connected to a replica.
const notNowCode = /^(08...|53...|57...|58...|25P0[345]|25006|40001|40P01|55P03)$/;

// The driver's own words, because it has no codes for them, and the codes of the network.
const troubleWords =
  /^E(?!RR_)[A-Z]+ |^ERR_(TLS|SSL|SOCKET|STREAM)|Connection terminated|timeout expired|timeout exceeded|read timeout|not queryable|after calling end on the pool|^ SSL |server does not support SSL/;

/** The connection is gone or never was. A value the driver cannot send, say, is not that but a bug. */
function isConnectionTrouble(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return error.severity !== "ERROR";
  return error instanceof Error && troubleWords.test(describe(error));
}

/** A network error has a code such as ECONNREFUSED, and sometimes nothing else. */
function describe(error: Error): string {
  return `${codeOf(error) ?? ""} ${error.message}`;
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | null | undefined)?.code;
}

/** The cause of a Failure whose transaction may or may not have been committed. */
class CommitOutcomeUnknown extends Error {
  override name = "CommitOutcomeUnknown";
}

export function commitUnknown(cause: unknown): Failure {
  const marked = new CommitOutcomeUnknown("The connection was lost while COMMIT was under way", { cause });
  return unavailable("The database did not say whether the change was saved", marked);
}

/**
 * Whether a transaction may have been committed although it failed. Repeat only what is safe to
 * repeat, or look first: an Idempotency-Key record is in the same transaction and tells.
 */
export function commitOutcomeUnknown(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof CommitOutcomeUnknown) return true;
  }
  return false;
}
