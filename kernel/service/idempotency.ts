// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header).
//
// The answer is recorded in the transaction that has the effect, so one cannot exist without the
// other: kill the process anywhere and the retry either finds the record or finds nothing done.
// Two requests at once: in one process the set of running keys refuses the second; across processes
// a transaction-level advisory lock does. It is taken inside the effect's own transaction, so it
// cannot outlive a crash. Refusals roll back and leave no record.

import { createHash, createHmac } from "node:crypto";
import { canonicalJson, timestamp, type Clock, type Random } from "../base/index.ts";
import { errors, Failure } from "../contract/index.ts";
import type { Queryable, Tx } from "../data/index.ts";
import type { Answer } from "../http/index.ts";
import { createSeal, type Seal } from "./sealed-body.ts";

const keepMs = 24 * 60 * 60 * 1000;

export interface IdempotentRequest {
  /** Who asks what: caller, method, path and key, hashed. */
  readonly scope: Buffer;
  /**
   * The payload as parsed JSON: spelling and order of keys do not matter. Keyed by the Idempotency-Key, which
   * is not stored, so that the record of a registration is no oracle for its password.
   */
  readonly payload: Buffer;
  /** For an answer that holds a credential. */
  readonly seal: Seal | undefined;
}

export function idempotentRequest(
  caller: string,
  method: string,
  path: string,
  key: string,
  body: unknown,
  secret?: { random: Random },
): IdempotentRequest {
  const payload = createHmac("sha256", key)
    .update(canonicalJson(body ?? null))
    .digest();
  const scope = sha256([caller, method, path, key].join("\n"));
  return { scope, payload, seal: secret && createSeal(key, scope, secret.random) };
}

/** Bare or quoted, 1 to 255 visible ASCII characters; both spellings are the same key. */
export function readIdempotencyKey(header: string): string | undefined {
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  return /^[\x21-\x7e]{1,255}$/.test(key) ? key : undefined;
}

/** The recorded answer of an earlier request, if there is one. 422 when its payload was another. */
export async function findRecord(db: Queryable, request: IdempotentRequest, clock: Clock): Promise<Answer | undefined> {
  const { rows } = await db.query<{ payload: Buffer; status: number; headers: Record<string, string>; body: string }>(
    {
      name: "idempotency.find",
      text: "select payload, status, headers, body from ashlar.idempotency_keys where scope = $1 and expires_at > $2",
    },
    [request.scope, timestamp(clock.nowMs())],
  );
  const record = rows[0];
  if (record === undefined) return undefined;
  if (!record.payload.equals(request.payload)) {
    throw new Failure(errors.keyReused, "This Idempotency-Key was used with another payload", {
      details: [{ field: "Idempotency-Key", message: "was used with another payload" }],
    });
  }
  const body = request.seal ? request.seal.open(record.body) : record.body;
  return { status: record.status, headers: { ...record.headers, "idempotent-replayed": "true" }, body };
}

/** One execution under a key: what the context needs to record the answer with the effect. */
export interface IdempotentRun {
  /** Ten bytes that are the same for the n-th id of every try of this request. */
  entropy(index: number): Uint8Array;
  within<T>(tx: Tx, run: () => Promise<T>): Promise<T>;
  /** The answer that was recorded for what the handler returned. */
  answerFor(result: unknown): Answer;
}

/**
 * Another process has this request in hand, or has answered it. No Failure, which a handler may take for its
 * own refusal and undo what belongs to the other run as well: both make the same ids.
 */
export class RunElsewhere extends Error {
  override name = "RunElsewhere";
}

export function createIdempotentRun(
  request: IdempotentRequest,
  encode: (result: unknown) => Answer,
  clock: Clock,
): IdempotentRun {
  let recorded: { result: unknown; answer: Answer } | undefined;
  return {
    entropy: (index) => createHmac("sha256", request.scope).update(String(index)).digest().subarray(0, 10),
    async within(tx, run) {
      // Sent together, run in order: under the lock, for another process may have answered since we looked.
      const [, earlier] = await Promise.all([lock(tx, request), findRecord(tx, request, clock)]);
      if (earlier !== undefined) throw new RunElsewhere("Another process has answered this Idempotency-Key");
      const result = await run();
      const answer = encode(result);
      await record(tx, request, answer, clock);
      recorded = { result, answer };
      return result;
    },
    answerFor(result) {
      if (recorded === undefined || recorded.result !== result) {
        throw new Error(
          "An operation with an Idempotency-Key must do its work in one ctx.transaction and return what that returns.",
        );
      }
      return recorded.answer;
    },
  };
}

async function lock(tx: Tx, { scope }: IdempotentRequest): Promise<void> {
  const { rows } = await tx.query<{ locked: boolean }>(
    { name: "idempotency.lock", text: "select pg_try_advisory_xact_lock($1::bigint) as locked" },
    [scope.readBigInt64BE().toString()],
  );
  if (rows[0]?.locked !== true) throw new RunElsewhere("Another process runs this Idempotency-Key");
}

async function record(tx: Tx, request: IdempotentRequest, answer: Answer, clock: Clock): Promise<void> {
  const nowMs = clock.nowMs();
  const body = String(answer.body ?? "");
  // An expired record of the same key makes room.
  await tx.query(
    {
      name: "idempotency.record",
      text: `insert into ashlar.idempotency_keys (scope, payload, status, headers, body, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (scope) do update set payload = excluded.payload, status = excluded.status, headers = excluded.headers,
          body = excluded.body, created_at = excluded.created_at, expires_at = excluded.expires_at`,
    },
    [
      request.scope,
      request.payload,
      answer.status,
      JSON.stringify(answer.headers),
      request.seal ? request.seal.close(body) : body,
      timestamp(nowMs),
      timestamp(nowMs + keepMs),
    ],
  );
}

export function inProgress(): Failure {
  return new Failure(errors.inProgress, "The first request with this Idempotency-Key is still running", {
    headers: { "retry-after": "1" },
  });
}

/** Deletes records past their day, a bounded number at a time. */
export async function purgeRecords(db: Queryable, clock: Clock, batch = 1000): Promise<number> {
  const { rowCount } = await db.query(
    "delete from ashlar.idempotency_keys where scope in (select scope from ashlar.idempotency_keys where expires_at <= $1 limit $2)",
    [timestamp(clock.nowMs()), batch],
  );
  return rowCount;
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
