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
import { type Queryable, readTogether, type Row, type Tx } from "../data/index.ts";
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

interface RecordRow extends Row {
  payload: Buffer;
  status: number;
  headers: Record<string, string>;
  body: string;
  expires_at: string;
}

/** The recorded answer of an earlier request, if there is one. 422 when its payload was another. */
export async function findRecord(db: Queryable, request: IdempotentRequest, clock: Clock): Promise<Answer | undefined> {
  const record = (await findRow(db, request.scope.toString("hex"))) as RecordRow | undefined;
  if (record === undefined || Date.parse(record.expires_at) <= clock.nowMs()) return undefined;
  if (!record.payload.equals(request.payload)) {
    throw new Failure(errors.keyReused, "This Idempotency-Key was used with another payload", {
      details: [{ field: "Idempotency-Key", message: "was used with another payload" }],
    });
  }
  const body = request.seal ? request.seal.open(record.body) : record.body;
  return { status: record.status, headers: { ...record.headers, "idempotent-replayed": "true" }, body };
}

const findRows = (db: Queryable, scopes: readonly string[]) =>
  db
    .query(
      {
        name: "idempotency.find",
        text: "select encode(scope, 'hex') as id, payload, status, headers, body, expires_at from ashlar.idempotency_keys where scope = any($1::bytea[])",
      },
      [scopes.map((scope) => Buffer.from(scope, "hex"))],
    )
    .then(({ rows }) => rows);

/** Nearly always there is nothing to find, for any of those that ask in one turn. */
const findRow = readTogether({ one: async (db, scope) => (await findRows(db, [scope]))[0], many: findRows });

/** One execution under a key: what the context needs to record the answer with the effect. */
export interface IdempotentRun {
  readonly request: IdempotentRequest;
  /** Ten bytes that are the same for the n-th id of every try of this request. */
  entropy(index: number): Uint8Array;
  /** Makes the answer that is to be recorded with what the handler returned. */
  encode(result: unknown): Answer;
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

const idEntropyBytes = 10;
const idsPerBlock = 3;

export function createIdempotentRun(request: IdempotentRequest, encode: (result: unknown) => Answer): IdempotentRun {
  let encoded: { result: unknown; answer: Answer } | undefined;
  const blocks: Buffer[] = [];
  return {
    request,
    entropy(index) {
      const block = Math.floor(index / idsPerBlock);
      blocks[block] ??= createHmac("sha256", request.scope).update(String(block)).digest();
      const from = (index % idsPerBlock) * idEntropyBytes;
      return blocks[block].subarray(from, from + idEntropyBytes);
    },
    encode(result) {
      encoded = { result, answer: encode(result) };
      return encoded.answer;
    },
    answerFor(result) {
      if (encoded === undefined || encoded.result !== result) {
        throw new Error(
          "An operation with an Idempotency-Key must do its work in one transaction and return what that returns.",
        );
      }
      return encoded.answer;
    },
  };
}

/** Runs the work of one request in its transaction, and records its answer there. */
export async function runWithRecord<T>(tx: Tx, run: IdempotentRun, work: () => Promise<T>, clock: Clock): Promise<T> {
  const elsewhere = await claimRuns(tx, [run], clock);
  if (elsewhere.size > 0) throw new RunElsewhere("Another process runs this Idempotency-Key, or has answered it");
  const result = await work();
  await recordRuns(tx, [{ run, result }], clock);
  return result;
}

/** Takes the keys for this transaction; answers the runs whose key another process has, or has answered. */
export async function claimRuns(
  tx: Tx,
  runs: readonly IdempotentRun[],
  clock: Clock,
): Promise<Set<IdempotentRun | undefined>> {
  const scopes = runs.map(({ request }) => request.scope);
  // Sent together, run in order: under the locks, for another process may have answered since we looked.
  const [locks, answered] = await Promise.all([
    tx.query<{ locked: boolean[] }>(lockKeys, [scopes.map((scope) => scope.readBigInt64BE().toString())]),
    tx.query<{ scope: Buffer }>(findKeys, [scopes, timestamp(clock.nowMs())]),
  ]);
  const { locked } = locks.rows[0]!;
  const taken = new Set(answered.rows.map(({ scope }) => scope.toString("latin1")));
  const elsewhere = new Set<IdempotentRun | undefined>();
  runs.forEach((run, index) => {
    // Of two tries in one transaction, which would both have the lock, the first counts.
    const name = scopes[index]!.toString("latin1");
    if (!locked[index] || taken.has(name)) elsewhere.add(run);
    taken.add(name);
  });
  return elsewhere;
}

const lockKeys = {
  name: "idempotency.lock",
  text: "select array_agg(pg_try_advisory_xact_lock(key) order by position) as locked from unnest($1::bigint[]) with ordinality as k (key, position)",
};

const findKeys = {
  name: "idempotency.answered",
  text: "select scope from ashlar.idempotency_keys where scope = any($1::bytea[]) and expires_at > $2",
};

export interface RecordedRun {
  run: IdempotentRun;
  result: unknown;
}

/** Records the answers of runs, in the transaction of their effects. */
export async function recordRuns(tx: Tx, recorded: readonly RecordedRun[], clock: Clock): Promise<void> {
  if (recorded.length === 0) return;
  const nowMs = clock.nowMs();
  const rows = recorded.map(({ run: { request, encode }, result }) => ({ request, answer: encode(result) }));
  await tx.query(recordKeys, [
    rows.map(({ request }) => request.scope),
    rows.map(({ request }) => request.payload),
    rows.map(({ answer }) => answer.status),
    rows.map(({ answer }) => JSON.stringify(answer.headers)),
    rows.map(({ request, answer }) => bodyOf(request, answer)),
    timestamp(nowMs),
    timestamp(nowMs + keepMs),
  ]);
}

function bodyOf({ seal }: IdempotentRequest, answer: Answer): string {
  const body = String(answer.body ?? "");
  return seal ? seal.close(body) : body;
}

// An expired record of the same key makes room.
const recordKeys = {
  name: "idempotency.record",
  text: `
    insert into ashlar.idempotency_keys (scope, payload, status, headers, body, created_at, expires_at)
    select scope, payload, status, headers::jsonb, body, $6, $7
    from unnest($1::bytea[], $2::bytea[], $3::int[], $4::text[], $5::text[]) as r (scope, payload, status, headers, body)
    on conflict (scope) do update set payload = excluded.payload, status = excluded.status, headers = excluded.headers,
      body = excluded.body, created_at = excluded.created_at, expires_at = excluded.expires_at`,
};

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
