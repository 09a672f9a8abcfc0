// What a handler is given: who asks, until when, and the ways to read, write, emit and call.

import {
  type Clock,
  encodeId,
  type LogFields,
  type Logger,
  type Random,
  timestamp,
  uuidv7,
  uuidv7From,
} from "../base/index.ts";
import { type Caller, noteSecurityEvent, type SecurityEvent } from "../auth/index.ts";
import type { Calls, Deadline } from "../call/index.ts";
import type { Cache, CacheRule } from "../cache/index.ts";
import {
  type AnyOperation,
  changedTags,
  type ChangedRows,
  type EventType,
  type In,
  type Named,
  type Out,
  type Resource,
} from "../contract/index.ts";
import type { Cursors, Database, Queryable, Table, Tx } from "../data/index.ts";
import type { Outbox } from "../events/index.ts";
import { insertMail, type MailRequest } from "../mail/index.ts";
import { type IdempotentRun, runWithRecord } from "./idempotency.ts";
import { joinTransaction, type SharedWork } from "./together.ts";
import type { ChangeWatch } from "./unsaid-changes.ts";

export interface Emitted<D> {
  aggregateId: string;
  /** The version of the aggregate after the change, where it has one. */
  version?: number;
  data: D;
}

export interface Context {
  readonly service: string;
  readonly caller: Caller;
  /** What the client calls itself, for people to recognise it by; never trusted. Undefined outside requests. */
  readonly userAgent: string | undefined;
  readonly requestId: string;
  readonly traceparent: string | undefined;
  readonly deadline: Deadline;
  readonly log: Logger;
  /** Logs a security event: who asked, from where, in which request, and `fields`. */
  security(event: SecurityEvent, fields?: LogFields): void;
  readonly clock: Clock;
  readonly random: Random;
  /** Makes and reads the cursors of lists. */
  readonly cursors: Cursors;
  /** The service's database, for reads outside a transaction. What still runs at the deadline is cancelled. */
  readonly db: Queryable;
  /** The present moment as RFC 3339. */
  now(): string;
  /** A new id. Under an Idempotency-Key a retry of the request gets the same ids in the same order. */
  newId(prefix: string): string;
  /** The table of a resource of this service. */
  table<R extends Resource>(resource: R): Table<R>;
  /**
   * Runs `run` in one transaction and commits when it returns. It may run again after a deadlock, so
   * it must change nothing but the database. In an operation that takes an Idempotency-Key what `run`
   * returns is the answer: it is recorded in the same transaction.
   */
  transaction<T>(run: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Does the work in one transaction with that of other requests of this moment, see `together`. To the caller it is
   * like `transaction`: what it resolves with is committed, and a request that is refused, fails or runs out of time
   * neither fails the others nor leaves anything.
   */
  transactionTogether<I, O>(work: SharedWork<I, O>, input: I): Promise<O>;
  /** Announces an event when `tx` commits, and only then. */
  emit<D>(tx: Tx, type: EventType<D>, event: Emitted<D>): Promise<void>;
  /** Has a mail sent when `tx` commits, and only then; in a while, never within the request. */
  mail(tx: Tx, mail: MailRequest): Promise<void>;
  /**
   * What `load` answers, or answered before under the key, for at most `ttlMs`; a commit that invalidates one of the
   * tags ends it. Values are copied as JSON, `undefined` means that there is nothing. What only some may see needs
   * them in the key. Not for what guards money or stock: within a second it may lag behind another process.
   */
  cached<T>(key: string, rule: CacheRule, load: () => Promise<T | undefined>): Promise<T | undefined>;
  /** Invalidates what is cached under the tags when `tx` commits, and only then. */
  invalidate(tx: Tx, tags: readonly string[]): void;
  /**
   * Says that SQL of your own changed rows: what is cached of them is invalidated when `tx` commits. A row that has
   * an owner comes with it, and `all` stands for any number of them. `createRow`, `changeRow`, `removeRow` and `writeChange` say it themselves.
   */
  changed(tx: Tx, resource: Resource, rows: ChangedRows): void;
  /** Calls another service within this call's deadline. Not while a transaction is open. */
  call<O extends AnyOperation>(operation: Named<O>, input: Partial<In<O>>): Promise<Out<O>>;
}

/** What a running service lends to each of its contexts. */
export interface ServiceParts {
  readonly name: string;
  readonly database: Database;
  readonly tables: ReadonlyMap<string, Table>;
  readonly outbox: Outbox;
  /** The types of events its contract declares. */
  readonly events: ReadonlySet<string>;
  /** The names of its mail templates. */
  readonly mails: ReadonlySet<string>;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly random: Random;
  readonly cursors: Cursors;
  readonly cache: Cache;
  /** The names of the resources whose changes somebody may have cached. */
  readonly cachedResources: ReadonlySet<string>;
  /** Is told what a transaction says that it changed; where nobody looks after that there is none. */
  readonly said: ChangeWatch["said"] | undefined;
}

export interface CallFacts {
  caller: Caller;
  userAgent?: string | undefined;
  requestId: string;
  traceparent: string | undefined;
  deadline: Deadline;
  log: Logger;
  idempotent?: IdempotentRun | undefined;
  /** What the operation invalidates with each of its transactions. */
  invalidates?: readonly string[];
}

export function createContext(parts: ServiceParts, facts: CallFacts): Context {
  const { clock, random, database } = parts;
  let ids = 0;
  const context: Context = {
    service: parts.name,
    caller: facts.caller,
    userAgent: facts.userAgent,
    requestId: facts.requestId,
    traceparent: facts.traceparent,
    deadline: facts.deadline,
    log: facts.log,
    security: (event, fields) => noteSecurityEvent(facts.log, event, facts.caller, fields),
    clock,
    random,
    cursors: parts.cursors,
    db: {
      query: (sql, values) => database.query(sql, values, { signal: facts.deadline.signal }),
      shared: { db: database, onAbort: (run) => facts.deadline.onAbort(run) },
    },
    now: () => timestamp(clock.nowMs()),
    newId: (prefix) =>
      encodeId(prefix, facts.idempotent ? idOfRetry(clock, facts.idempotent.entropy(ids++)) : uuidv7(clock, random)),
    table: <R extends Resource>(resource: R) => tableOf(parts, resource) as Table<R>,
    async transaction(run) {
      facts.deadline.check();
      const { invalidates = [] } = facts;
      const guarded = async (tx: Tx) => {
        if (invalidates.length > 0) parts.cache.invalidate(tx, invalidates);
        const result = await (facts.idempotent ? runWithRecord(tx, facts.idempotent, () => run(tx), clock) : run(tx));
        facts.deadline.check();
        return result;
      };
      return database.transaction(guarded, { signal: facts.deadline.signal });
    },
    async transactionTogether(work, input) {
      facts.deadline.check();
      return joinTransaction(parts, work, { ctx: context, facts, input });
    },
    async emit(tx, type, event) {
      if (!parts.events.has(type.type))
        throw new Error(
          `Service ${parts.name} emitted ${type.type}, which its contract does not declare. Add it to "events".`,
        );
      await parts.outbox.emit(tx, type, {
        ...event,
        ...(facts.traceparent === undefined ? {} : { traceparent: facts.traceparent }),
      });
    },
    async mail(tx, mail) {
      if (!parts.mails.has(mail.template))
        throw new Error(
          `Service ${parts.name} has no mail template "${mail.template}". Add it to "mails" in services/${parts.name}/service.ts.`,
        );
      await insertMail(tx, mail, parts);
    },
    cached: (key, rule, load) => parts.cache.cached(`own ${key}`, rule, load),
    invalidate: (tx, tags) => parts.cache.invalidate(tx, tags),
    changed(tx, resource, rows) {
      parts.said?.(tx, resource.name);
      if (rows.length > 0 && parts.cachedResources.has(resource.name))
        parts.cache.invalidate(tx, changedTags(resource, rows));
    },
    call: (operation, input) =>
      parts.calls.call(operation, input, {
        from: parts.name,
        requestId: facts.requestId,
        traceparent: facts.traceparent,
        deadline: facts.deadline,
      }),
  };
  return context;
}

// A retried request should find the work of its killed first try (a reservation, say) under the same
// id. The moment in the id is therefore rounded to about an hour: a retry within it makes the same id.
const retryWindowMs = 2 ** 22;

function idOfRetry(clock: Clock, entropy: Uint8Array): string {
  return uuidv7From(Math.floor(clock.nowMs() / retryWindowMs) * retryWindowMs, entropy);
}

function tableOf(parts: ServiceParts, resource: Resource): Table {
  const table = parts.tables.get(resource.name);
  if (table === undefined)
    throw new Error(`Service ${parts.name} does not own resource "${resource.name}". Call the service that does.`);
  return table;
}
