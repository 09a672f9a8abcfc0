// An operation: one thing a service does, with everything a caller must know about it.

import type { Access } from "./access.ts";
import type { CacheSpec, OperationCacheSpec } from "./cache.ts";
import type { ErrorCode } from "./errors.ts";
import type { EventType } from "./event.ts";
import type { Resource } from "./resource.ts";
import type { Fields, Static, TSchema, Values } from "./schema.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
/** What a standard operation of a resource does; a custom operation has none. */
export type Action = "list" | "create" | "bulk" | "get" | "replace" | "update" | "remove";

/** How an operation is counted. The numbers of a class are settings of the app. */
export interface RateLimit {
  readonly class: string;
  /** A property of the body that gets a bucket of its own: the account that a login is for. */
  readonly account?: string;
  /** How many ordinary requests one of these counts as. Default: 1. */
  readonly cost?: number;
}

export interface OperationSpec<P extends Fields, Q extends Fields, B extends TSchema, R extends Returns> {
  summary: string;
  description?: string;
  /** Path parameters. An id parameter that does not parse is a 404. */
  params?: P;
  query?: Q;
  body?: B;
  /** A schema, a resource (then versions and ETag apply), or nothing for 204. */
  returns?: R;
  /** Default: 201 for POST that returns something, 204 without `returns`, else 200. */
  status?: number;
  access: Access;
  /** What the business may refuse; what the declaration implies (400, 401, 404...) is not repeated here. */
  errors?: readonly ErrorCode[];
  emits?: readonly EventType[];
  limit?: RateLimit;
  /** A POST that creates answers a repeated Idempotency-Key from its record. Default: status is 201. */
  idempotent?: boolean;
  /** Repeating a call has the effect of one call, so a caller may retry. Default: all but POST and PATCH. */
  repeatable?: boolean;
  /** How long it may take at most, as a call or as a request: 504 after it. Default: what its caller has left. */
  timeoutMs?: number;
  /** The answer holds credentials: `no-store`, never compressed. */
  secret?: boolean;
  /** Needs a person who signed in: API keys are refused. Default: an API key with the scope may. */
  personal?: boolean;
  /** Also reachable without a version in the path, outside the negotiation of versions. */
  unversioned?: boolean;
  /** A GET that may be answered from memory. What is for anyone is computed for nobody; what is not, once per caller. */
  cache?: OperationCacheSpec;
  /** Tags that each of its transactions invalidates when it commits, beside what its rows do: `popular {country}`. */
  invalidates?: readonly string[];
}

export type Returns = TSchema | Resource | undefined;

export interface Operation<P extends Fields = Fields, Q extends Fields = Fields, B = unknown, R = unknown> {
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly params: P;
  readonly query: Q;
  readonly body: TSchema | undefined;
  readonly returns: TSchema | undefined;
  readonly resource: Resource | undefined;
  readonly action: Action | undefined;
  readonly status: number;
  readonly access: Access;
  readonly errors: readonly ErrorCode[];
  readonly emits: readonly EventType[];
  readonly limit: RateLimit;
  readonly idempotent: boolean;
  readonly repeatable: boolean;
  readonly timeoutMs?: number;
  readonly secret: boolean;
  readonly personal: boolean;
  readonly unversioned: boolean;
  readonly cache: CacheSpec | OperationCacheSpec | undefined;
  readonly invalidates: readonly string[];
  /** Types only; never present at run time. */
  readonly "~body"?: B;
  readonly "~returns"?: R;
}

/** An operation that belongs to a service: what `ctx.call` takes. */
export type Named<O> = O & { readonly name: string; readonly service: string };

// oxlint-disable-next-line no-explicit-any -- any operation
export type AnyOperation = Operation<any, any, any, any>;

/** What the handler of an operation receives. */
export type In<O> =
  O extends Operation<infer P, infer Q, infer B> ? { params: Values<P>; query: Partial<Values<Q>>; body: B } : never;
/** What the handler of an operation answers. */
export type Out<O> = O extends Operation<Fields, Fields, unknown, infer R> ? R : never;

type BodyOf<B> = B extends TSchema ? Static<B> : undefined;
type ResultOf<R> = R extends { readonly kind: "resource"; readonly "~row"?: infer Row }
  ? NonNullable<Row>
  : R extends TSchema
    ? Static<R>
    : void;

function operation(method: Method) {
  return function declare<
    P extends Fields = Record<never, TSchema>,
    Q extends Fields = Record<never, TSchema>,
    B extends TSchema | undefined = undefined,
    R extends Returns = undefined,
  >(
    path: string,
    spec: Omit<OperationSpec<P, Q, TSchema, Returns>, "body" | "returns"> & { body?: B; returns?: R },
  ): Operation<P, Q, BodyOf<B>, ResultOf<R>> {
    const resource = isResource(spec.returns) ? spec.returns : undefined;
    const returns = resource ? resource.representation : (spec.returns as TSchema | undefined);
    const status = spec.status ?? (returns === undefined ? 204 : method === "POST" ? 201 : 200);
    return {
      method,
      path,
      summary: spec.summary,
      ...(spec.description === undefined ? {} : { description: spec.description }),
      params: spec.params ?? ({} as P),
      query: spec.query ?? ({} as Q),
      body: spec.body,
      returns,
      resource,
      action: undefined,
      status,
      access: spec.access,
      errors: spec.errors ?? [],
      emits: spec.emits ?? [],
      limit: spec.limit ?? { class: "default" },
      idempotent: spec.idempotent ?? (method === "POST" && status === 201),
      repeatable: spec.repeatable ?? (method !== "POST" && method !== "PATCH"),
      ...(spec.timeoutMs === undefined ? {} : { timeoutMs: spec.timeoutMs }),
      secret: spec.secret ?? false,
      personal: spec.personal ?? false,
      unversioned: spec.unversioned ?? false,
      cache: spec.cache,
      invalidates: spec.invalidates ?? [],
    };
  };
}

function isResource(value: unknown): value is Resource {
  return typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "resource";
}

export const get = operation("GET");
export const post = operation("POST");
export const put = operation("PUT");
export const patch = operation("PATCH");
/** Named after the method; `delete` is a reserved word. */
export const del = operation("DELETE");
