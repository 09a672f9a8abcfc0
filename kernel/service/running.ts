// A contract and its implementation become a running service: its database, tables, outbox, relay,
// inbox and jobs. Listening is not its business: the pipeline and the callers hold its routes.

import { type Clock, lazyChild, type Logger, type Random } from "../base/index.ts";
import { type CallContext, type Calls, type CallTarget, createDeadline, type Deadline } from "../call/index.ts";
import { cacheMigrations, type CacheOptions, createCache } from "../cache/index.ts";
import {
  type AnyOperation,
  cachedResources,
  type Envelope,
  filledTag,
  type Named,
  type ServiceContract,
} from "../contract/index.ts";
import {
  createCursors,
  createTable,
  type Database,
  findDrift,
  migrate,
  type MigrationSource,
  type Table,
  type Tx,
} from "../data/index.ts";
import { type Bus, createInbox, createOutbox, createRelay, eventMigrations } from "../events/index.ts";
import { type Mailer, mailMigrations } from "../mail/index.ts";
import { type Context, createContext, type ServiceParts } from "./context.ts";
import type { AnyHandler, Implementation, Job, StandardInput } from "./implement.ts";
import { ownJobs } from "./own-jobs.ts";
import { watchChanges } from "./unsaid-changes.ts";
import {
  changeRow,
  createRow,
  createRows,
  listRows,
  listStoredRows,
  readRow,
  readStoredRow,
  removeRow,
} from "./rows.ts";

export interface RunningService {
  readonly contract: ServiceContract;
  readonly parts: ServiceParts;
  handlerOf(operation: Named<AnyOperation>): AnyHandler;
  /** Whether the platform itself answers it. */
  isStandard(operation: Named<AnyOperation>): boolean;
  /**
   * For a standard read whose answer is the rows as they are stored: its handler, which answers those, and the table that
   * knows how to show them. What is cached is kept in another form.
   */
  storedRead(operation: Named<AnyOperation>): { handler: AnyHandler; table: Table } | undefined;
  /** How other services call it. */
  readonly target: CallTarget;
  /** Runs what must be known before the first request, then delivers, receives and works. */
  start(): Promise<void>;
  /**
   * Takes no more events, and finishes what is in hand; what does not end within this is left to be done again. The
   * database is the caller's to close.
   */
  stop(withinMs?: number): Promise<void>;
  /** A context for work that no request asked for, such as demo data. */
  contextFor(reason: string): Context;
}

export interface ServiceOptions {
  implementation: Implementation;
  database: Database;
  calls: Calls;
  bus: Bus;
  /** Every service of the system whose contract subscribes to a type of event. */
  subscribersOf: (type: string) => readonly string[];
  /** How long rows that were deleted softly stay; undefined: for ever. */
  purgeDeletedAfterMs: number | undefined;
  /** Without one, mails are kept where `ashlar mail` finds them. */
  mailer: Mailer | undefined;
  /** Where answers are kept, for all services of a process together. */
  cached: Pick<CacheOptions, "entries" | "shared">;
  /** Refuses transactions that change what is cached and do not say so. For tests and development. */
  checkChanges: boolean;
  /** Authenticates cursors; the same in every process of a system. */
  cursorSecret: Uint8Array;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** What a service's database is made of: the platform's own tables, then the service's. */
export function migrationsOf({
  contract,
  migrations,
}: Pick<Implementation, "contract" | "migrations">): MigrationSource[] {
  return [
    eventMigrations,
    cacheMigrations,
    { name: "ashlar.service", directory: new URL("./migrations/", import.meta.url) },
    mailMigrations,
    { name: contract.name, directory: migrations },
  ];
}

/** Migrates, then compares the tables with the contract. Safe to run in several processes at once. */
export async function migrateService(database: Database, implementation: Implementation, log: Logger): Promise<void> {
  await migrate(database, migrationsOf(implementation), { log });
  const { name, resources } = implementation.contract;
  const drift = await findDrift(database, resources);
  if (drift.length > 0)
    throw new Error(
      `The tables of ${name} are not what its contract says. Add a migration, or correct the contract:\n  ${drift.join("\n  ")}`,
    );
}

const eventTimeoutMs = 30_000;
/** For what relay, inbox and jobs have in hand. */
const stopMs = 6_000;
const jobTimeoutMs = 60_000;

export function createService(options: ServiceOptions): RunningService {
  const { implementation, clock, random, calls } = options;
  const { contract } = implementation;
  const keptBySomebody = cachedResources(contract.resources, Object.values(contract.allOperations));
  const watch = options.checkChanges
    ? watchChanges(
        options.database,
        contract.resources.filter(({ name }) => keptBySomebody.has(name)),
      )
    : undefined;
  const database = watch?.database ?? options.database;
  const log = options.log.child({ service: contract.name });
  const subscribers = [...new Set(contract.events.flatMap(({ type }) => options.subscribersOf(type)))];
  const relay = createRelay({ service: contract.name, database, bus: options.bus, subscribers, clock, log, random });
  const outbox = createOutbox({
    subscribersOf: options.subscribersOf,
    wake: (woken) => relay.wake(woken),
    clock,
    random,
  });
  const tables = new Map(contract.resources.map((resource) => [resource.name, createTable(resource)]));
  const parts: ServiceParts = {
    name: contract.name,
    database,
    tables,
    outbox,
    events: new Set(contract.events.map(({ type }) => type)),
    mails: new Set(Object.keys(implementation.mails)),
    calls,
    clock,
    random,
    cursors: createCursors(options.cursorSecret),
    cache: createCache({ name: contract.name, db: database, ...options.cached, clock }),
    cachedResources: keptBySomebody,
    said: watch?.said,
  };
  const inbox = createInbox({
    service: contract.name,
    database,
    ...eventHandlers(options, parts, log),
    clock,
    random,
    log,
  });
  const stopping = new AbortController();
  const working: Promise<void>[] = [];
  let unsubscribe: (() => void) | undefined;

  const handlerOf = (operation: Named<AnyOperation>) =>
    implementation.handlers[operation.name] ?? standardHandler(operation);
  return {
    contract,
    parts,
    handlerOf,
    isStandard: (operation) => implementation.handlers[operation.name] === undefined,
    storedRead(operation) {
      const { resource, cache, name } = operation;
      const handler = cache === undefined && implementation.handlers[name] === undefined && storedHandler(operation);
      return handler ? { handler, table: tables.get(resource!.name)! } : undefined;
    },
    target: { invoke: (name, input, call) => invoke(contract, handlerOf, parts, log, name, input, call) },
    contextFor: (reason) => ownContext(parts, reason, log),
    async start() {
      for (const [name, job] of Object.entries(implementation.jobs))
        if (job.atStart) await runJob(parts, name, job, log);
      unsubscribe = options.bus.subscribe(contract.name, (events) => inbox.receive(events));
      inbox.start();
      relay.start();
      for (const [name, job] of Object.entries({ ...implementation.jobs, ...ownJobs(options, tables, log) }))
        working.push(repeat(parts, name, job, log, stopping.signal));
    },
    async stop(withinMs = stopMs) {
      const untilMs = clock.nowMs() + withinMs;
      stopping.abort();
      // What the relay has in hand may be for a service of this process: it is received until that is answered.
      await relay.stop(withinMs / 2);
      unsubscribe?.();
      const ended = new AbortController();
      const jobs = Promise.race([Promise.all(working), clock.sleep(untilMs - clock.nowMs(), ended.signal)]);
      await Promise.all([inbox.stop(untilMs - clock.nowMs()), jobs]);
      ended.abort("ended");
    },
  };
}

function standardHandler(operation: Named<AnyOperation>): AnyHandler {
  const { resource, action } = operation;
  switch (action) {
    case "list":
      return (ctx, input: StandardInput) => listRows(ctx, resource!, input);
    case "get":
      return (ctx, input: StandardInput) => readRow(ctx, resource!, input);
    case "create":
      return (ctx, input: StandardInput) => createRow(ctx, resource!, { ...input.body, ...input.scope });
    case "bulk":
      return (ctx, input: StandardInput) => createRows(ctx, resource!, bulkItems(input));
    case "replace":
    case "update":
      return (ctx, input: StandardInput) => changeRow(ctx, resource!, input);
    case "remove":
      return (ctx, input: StandardInput) => removeRow(ctx, resource!, input);
    default:
      throw new Error(
        `Operation ${operation.service}.${operation.name} has no handler. Add it to services/${operation.service}/service.ts.`,
      );
  }
}

function storedHandler({ resource, action }: Named<AnyOperation>): AnyHandler | undefined {
  if (action === "list") return (ctx, input: StandardInput) => listStoredRows(ctx, resource!, input);
  return action === "get" ? (ctx, input: StandardInput) => readStoredRow(ctx, resource!, input) : undefined;
}

function bulkItems({ body, scope }: StandardInput): Record<string, unknown>[] {
  return (body.items as Record<string, unknown>[]).map((values) => ({ ...values, ...scope }));
}

async function invoke(
  contract: ServiceContract,
  handlerOf: (operation: Named<AnyOperation>) => AnyHandler,
  parts: ServiceParts,
  log: Logger,
  name: string,
  input: object,
  call: CallContext,
): Promise<unknown> {
  const operation = contract.allOperations[name];
  if (operation === undefined)
    throw new Error(`Service ${contract.name} has no operation "${name}". Add it to its contract.`);
  if (!operation.access.includes("service") || operation.action !== undefined) {
    throw new Error(`Operation ${contract.name}.${name} is not for services. Declare one with access: servicesOnly.`);
  }
  const context = createContext(parts, {
    ...call,
    caller: { kind: "service", name: call.from },
    invalidates: operation.invalidates.map((tag) => filledTag(tag, (input as Partial<StandardInput>).params ?? {})),
    log: lazyChild(log, { requestId: call.requestId }),
  });
  return handlerOf(operation)(context, input);
}

function eventHandlers({ implementation: { subscribers }, clock }: ServiceOptions, parts: ServiceParts, log: Logger) {
  const contextOf = (event: Envelope, deadline: Deadline) =>
    createContext(parts, {
      caller: { kind: "service", name: "events" },
      requestId: event.id,
      traceparent: event.traceparent,
      deadline,
      log: lazyChild(log, { eventId: event.id, type: event.type }),
    });
  const inTime = async (signal: AbortSignal, run: (deadline: Deadline) => Promise<void>) => {
    const deadline = createDeadline(clock, eventTimeoutMs, signal);
    await run(deadline).finally(() => deadline.end());
  };
  return {
    handlers: new Map(
      subscribers.map(({ type, run }) => [
        type,
        (event: Envelope, tx: Tx, signal: AbortSignal) =>
          inTime(signal, (deadline) => run(contextOf(event, deadline), event, tx)),
      ]),
    ),
    together: new Map(
      subscribers.flatMap(({ type, runTogether }) =>
        runTogether === undefined
          ? []
          : [
              [
                type,
                (events: readonly Envelope[], tx: Tx, signal: AbortSignal) =>
                  inTime(signal, (deadline) =>
                    runTogether(
                      tx,
                      events.map((event) => ({ ctx: contextOf(event, deadline), event })),
                    ),
                  ),
              ] as const,
            ],
      ),
    ),
  };
}

function ownContext(parts: ServiceParts, reason: string, log: Logger, stopping?: AbortSignal): Context {
  const deadline = createDeadline(parts.clock, jobTimeoutMs, stopping);
  return createContext(parts, {
    caller: { kind: "service", name: parts.name },
    requestId: reason,
    traceparent: undefined,
    deadline,
    log,
  });
}

async function repeat(parts: ServiceParts, name: string, job: Job, log: Logger, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    await parts.clock.sleep(job.everyMs, stopping);
    if (stopping.aborted) return;
    await runJob(parts, name, job, log, stopping).catch((err: unknown) =>
      log.warn({ job: name, err }, "A job failed; it will run again"),
    );
  }
}

async function runJob(parts: ServiceParts, name: string, job: Job, log: Logger, stopping?: AbortSignal): Promise<void> {
  const context = ownContext(parts, `job ${name}`, log, stopping);
  await job.run(context).finally(() => context.deadline.end());
}
