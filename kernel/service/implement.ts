// The implementation of a contract: which function answers which operation.

import type {
  AnyOperation,
  Envelope,
  EventType,
  In,
  ListQuery,
  Operation,
  Out,
  ServiceContract,
} from "../contract/index.ts";
import type { Tx } from "../data/index.ts";
import type { MailTemplate } from "../mail/index.ts";
import type { Context } from "./context.ts";
import type { Expected } from "./preconditions.ts";

/** What a handler receives beside params, query and body, depending on its operation. */
export interface Extras {
  /** For lists: what was asked for. */
  list: ListQuery;
  /** For lists and reads: only rows with these values may be shown. */
  scope: Readonly<Record<string, unknown>>;
  /** For reads: deleted rows may be shown too. */
  includeDeleted: boolean;
  /** For PATCH: a deletion is to be taken back. */
  restores: boolean;
  /** For PUT, PATCH and DELETE of a resource: the version the client saw. */
  expected: Expected;
  /** For PUT and PATCH: the new values of the writable properties, given the row as it is now. */
  change(current: Record<string, unknown>): Record<string, unknown>;
}

export type Handler<O extends AnyOperation> = (ctx: Context, input: In<O> & Extras) => Promise<Out<O>>;
// oxlint-disable-next-line no-explicit-any -- the input's shape is the operation's, checked by its validators
export type AnyHandler = (ctx: Context, input: any) => Promise<unknown>;
export type StandardInput = In<Operation> & Extras & { params: Record<string, string>; body: Record<string, unknown> };

export interface Subscriber {
  readonly type: string;
  readonly run: (ctx: Context, event: Envelope, tx: Tx) => Promise<void>;
  /** The same for several events in one transaction. */
  readonly runTogether?: (tx: Tx, heard: readonly Heard[]) => Promise<void>;
}

/** One event among those of a transaction. What its `ctx` emits belongs to its trace. */
export interface Heard<D = unknown> {
  readonly ctx: Context;
  readonly event: Envelope<D>;
}

/** Handles an event: the effect goes through `tx`, which also marks the event as handled. */
export function on<D>(
  type: EventType<D>,
  run: (ctx: Context, event: Envelope<D>, tx: Tx) => Promise<void>,
): Subscriber {
  return { type: typeOf("on", type), run: run as Subscriber["run"] };
}

/**
 * Handles events of different aggregates in one transaction: `heard` is one of them or many, as they come. For effects
 * that a few statements bring about for all. When `run` throws, nothing has happened, and each event is handled alone.
 */
export function onTogether<D>(
  type: EventType<D>,
  run: (tx: Tx, heard: readonly Heard<D>[]) => Promise<void>,
): Subscriber {
  return {
    type: typeOf("onTogether", type),
    run: (ctx, event, tx) => run(tx, [{ ctx, event: event as Envelope<D> }]),
    runTogether: run as Required<Subscriber>["runTogether"],
  };
}

/** `note.events.created!` compiles also where a note cannot be created. */
function typeOf(name: string, type: EventType | undefined): string {
  if (type === undefined)
    throw new Error(
      `${name}() was given an event that its resource does not have. See the access and events it declares.`,
    );
  return type.type;
}

/** Work that a service does by itself, one run at a time in a process. A failed run is logged and repeated. */
export interface Job {
  readonly everyMs: number;
  /** Also once before the service answers; when that fails, the service does not start. */
  readonly atStart?: boolean;
  readonly run: (ctx: Context) => Promise<void>;
}

export interface Implementation<O extends Record<string, AnyOperation> = Record<string, AnyOperation>> {
  readonly contract: ServiceContract<O>;
  /** Handlers of the custom operations, and of standard ones that do more than the standard. */
  readonly handlers: Readonly<Record<string, AnyHandler>>;
  readonly subscribers: readonly Subscriber[];
  readonly jobs: Readonly<Record<string, Job>>;
  /** What it says by mail, by the name that `ctx.mail` takes. */
  readonly mails: Readonly<Record<string, MailTemplate>>;
  /** The folder of the service's numbered SQL files. */
  readonly migrations: URL;
}

type Handlers<O extends Record<string, AnyOperation>> = { readonly [K in keyof O]: Handler<O[K]> };

/** A contract without operations of its own needs no handlers. */
type WithHandlers<O extends Record<string, AnyOperation>> = keyof O extends never
  ? { handlers?: Handlers<O> }
  : { handlers: Handlers<O> };

/**
 * Binds a contract to code. Throws at start when an operation of the contract has no handler, or a
 * subscription no subscriber, so that a running service keeps its whole contract.
 */
export function implement<O extends Record<string, AnyOperation>>(
  contract: ServiceContract<O>,
  parts: {
    migrations: URL;
    /** Replaces the standard handler of a resource's operation: `createUser`, `updateOrder`. */
    standard?: Readonly<Record<string, AnyHandler>>;
    subscribers?: readonly Subscriber[];
    jobs?: Readonly<Record<string, Job>>;
    mails?: Readonly<Record<string, MailTemplate>>;
  } & WithHandlers<O>,
): Implementation {
  const { name } = contract;
  const handlers: Record<string, AnyHandler> = {
    ...parts.standard,
    ...(parts.handlers as Record<string, AnyHandler> | undefined),
  };
  const subscribers = parts.subscribers ?? [];
  const file = `services/${name}/service.ts`;
  for (const [key, operation] of Object.entries(contract.allOperations)) {
    if (operation.action === undefined && handlers[key] === undefined)
      throw new Error(`Operation ${name}.${key} has no handler. Add it to ${file}.`);
  }
  for (const { resource, action, name: bulk } of Object.values(contract.allOperations)) {
    if (action !== "bulk" || handlers[bulk] !== undefined) continue;
    const create = Object.values(contract.allOperations).find(
      (one) => one.resource === resource && one.action === "create",
    );
    if (create !== undefined && handlers[create.name] !== undefined)
      throw new Error(
        `${file} has a handler of its own for ${create.name}, which ${bulk} would pass by. Give ${bulk} one too.`,
      );
  }
  for (const key of Object.keys(handlers)) {
    if (contract.allOperations[key] === undefined)
      throw new Error(
        `${file} handles "${key}", which is not an operation of ${name}. Add it to the contract, or mend the name: there are ${Object.keys(contract.allOperations).join(", ")}.`,
      );
  }
  for (const type of contract.subscribes) {
    if (!subscribers.some((one) => one.type === type))
      throw new Error(
        `Service ${name} subscribes to ${type} and has no subscriber for it. Add on(...) to "subscribers" in ${file}; those there handle ${subscribers.map((one) => one.type).join(", ") || "nothing"}.`,
      );
  }
  for (const { type } of subscribers) {
    if (!contract.subscribes.includes(type))
      throw new Error(
        `Service ${name} handles ${type}, which its contract does not subscribe to. Add it to "subscribes".`,
      );
  }
  const { jobs = {}, mails = {}, migrations } = parts;
  return { contract, handlers, subscribers, jobs, mails, migrations };
}
