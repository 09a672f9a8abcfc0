import { checkContract } from "./check-contract.ts";
import type { EventType } from "./event.ts";
import type { Named, Operation } from "./operation.ts";
import type { Resource } from "./resource.ts";
import { standardOperations } from "./standard-operations.ts";
import type { ApiVersion, Change } from "./version.ts";

// oxlint-disable-next-line no-explicit-any -- operations of any shape
type Operations = Record<string, Operation<any, any, any, any>>;

export interface ServiceSpec<O extends Operations> {
  /** The database this service owns. Default: the name of the service. */
  database?: string;
  summary: string;
  resources?: readonly Resource[];
  operations?: O;
  /** Lists of a resource at a second address (`listUnder`); they need no handler. */
  lists?: Record<string, Operation>;
  /** Events beyond those of the resources. */
  events?: readonly EventType[];
  /** Types of events this service wants, from whichever service emits them. */
  subscribes?: readonly string[];
  /** The versions of its API. Default: version 1 alone. */
  versions?: readonly ApiVersion[];
  changes?: readonly Change[];
}

export interface ServiceContract<O extends Operations = Operations> {
  readonly kind: "service";
  readonly name: string;
  readonly summary: string;
  readonly database: string;
  readonly resources: readonly Resource[];
  /** The custom operations, by name: `ctx.call(catalog.operations.reserveStock, ...)`. */
  readonly operations: { readonly [K in keyof O]: Named<O[K]> };
  /** Every operation, standard ones included. */
  readonly allOperations: Readonly<Record<string, Named<Operation>>>;
  readonly events: readonly EventType[];
  readonly subscribes: readonly string[];
  readonly versions: readonly ApiVersion[];
  readonly changes: readonly Change[];
}

/** The contract of a service. Plain data: importing it starts nothing. */
export function service<O extends Operations = Record<never, never>>(
  name: string,
  spec: ServiceSpec<O>,
): ServiceContract<O> {
  const named = <T extends object>(operations: T) =>
    Object.fromEntries(
      Object.entries(operations).map(([key, operation]) => [
        key,
        { ...(operation as Operation), name: key, service: name },
      ]),
    );
  const custom = named(spec.operations ?? {});
  const standard = named(
    Object.assign({}, ...(spec.resources ?? []).map(standardOperations), spec.lists) as Operations,
  );
  const clash = Object.keys(custom).find((key) => key in standard && custom[key]!.path !== standard[key]!.path);
  if (clash !== undefined) throw new Error(`Service ${name} declares ${clash} twice. Rename the custom operation.`);

  const contract: ServiceContract<O> = {
    kind: "service",
    name,
    summary: spec.summary,
    database: spec.database ?? name,
    resources: spec.resources ?? [],
    operations: custom as ServiceContract<O>["operations"],
    allOperations: { ...standard, ...custom },
    events: [
      ...new Map(
        [...(spec.resources ?? []).flatMap((resource) => Object.values(resource.events)), ...(spec.events ?? [])].map(
          (type) => [type.type, type],
        ),
      ).values(),
    ],
    subscribes: spec.subscribes ?? [],
    versions: (spec.versions ?? [{ number: 1 }]).toSorted((a, b) => a.number - b.number),
    changes: spec.changes ?? [],
  };
  checkContract(contract);
  return contract;
}
