// Routes: the operations of all services, compiled once at start for every version of the API.

import findMyWay from "find-my-way";
import {
  type AnyOperation,
  type ApiVersion,
  bulkAnswer,
  bulkBody,
  answered,
  compileValidator,
  errorsOf,
  type Fields,
  type Grammar,
  grammarOf,
  isPage,
  type Method,
  type Named,
  type ServiceContract,
  object,
  pagesOnly,
  schemaOf,
  type Shape,
  shapeOf,
  type TSchema,
  type Validate,
} from "../contract/index.ts";
import type { Entry } from "../cache/index.ts";
import type { Answer } from "../http/index.ts";
import type { Forward } from "./exchange.ts";
import type { AnyHandler } from "./implement.ts";
import type { RunningService } from "./running.ts";

/** What one version of the API shows of an operation. */
export interface VersionedRoute {
  readonly version: ApiVersion;
  readonly shape: Shape | undefined;
  /** Fills defaults in place. */
  readonly validateBody: Validate | undefined;
  readonly bodyProperties: ReadonlySet<string>;
  readonly grammar: Grammar | undefined;
  readonly validateAnswer: Validate | undefined;
  /** Answers that were made of what the cache keeps. */
  readonly answers: WeakMap<Entry, Answer>;
}

export interface Route {
  readonly service: RunningService;
  readonly operation: Named<AnyOperation>;
  readonly handler: AnyHandler;
  /** The codes its contract lets it answer. */
  readonly errorCodes: ReadonlySet<string>;
  /** A list answers `{data, pagination}` and reads the list grammar. */
  readonly isList: boolean;
  /** Validates the parameters that a custom operation declares; fills defaults in place. */
  readonly validateQuery: Validate;
  readonly versions: ReadonlyMap<number, VersionedRoute>;
}

/** A service that runs elsewhere: its requests are handed on. */
export interface RemoteService {
  readonly contract: ServiceContract;
  readonly forward: Forward;
}

/** An operation of a service that runs elsewhere. */
export interface RemoteRoute extends Pick<Route, "operation"> {
  readonly service: RemoteService;
  readonly versions: ReadonlyMap<number, ApiVersion>;
}

export interface RouteTable {
  /** The methods that a path has, with the route of each; empty when there is no such path. */
  match(path: string): { methods: Map<Method, Route | RemoteRoute>; params: Record<string, string> };
  readonly versions: readonly ApiVersion[];
}

/** In the order in which `Allow` names them. */
export const allMethods: readonly Method[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

export function createRouteTable(services: readonly (RunningService | RemoteService)[]): RouteTable {
  const router = findMyWay({ caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 256 });
  const paths = new Map<string, Map<Method, Route | RemoteRoute>>();
  for (const service of services) {
    for (const operation of Object.values(service.contract.allOperations)) {
      if (operation.access.every((grant) => grant === "service")) continue;
      const path = operation.path.replace(/\{(\w+)\}/g, ":$1");
      const shared = paths.get(path) ?? new Map<Method, Route | RemoteRoute>();
      if (shared.has(operation.method))
        throw new Error(`Two operations answer ${operation.method} ${operation.path}. Change the path of one.`);
      shared.set(
        operation.method,
        "forward" in service ? remoteRoute(service, operation) : compileRoute(service, operation),
      );
      paths.set(path, shared);
    }
  }
  for (const [path, routes] of paths) router.on("GET", path, () => {}, { routes });
  const versions = new Map(
    services.flatMap(({ contract }) => contract.versions.map((version) => [version.number, version] as const)),
  );
  return {
    versions: [...versions.values()].toSorted((a, b) => a.number - b.number),
    match(path) {
      const found = router.find("GET", path);
      if (found === null) return { methods: new Map(), params: {} };
      return {
        methods: (found.store as { routes: Map<Method, Route | RemoteRoute> }).routes,
        params: { ...(found.params as Record<string, string>) },
      };
    },
  };
}

function remoteRoute(service: RemoteService, operation: Named<AnyOperation>): RemoteRoute {
  const versions = new Map(service.contract.versions.map((version) => [version.number, version]));
  return { service, operation, versions };
}

function compileRoute(service: RunningService, operation: Named<AnyOperation>): Route {
  const isList = isPage(operation.returns);
  const versions = new Map(
    service.contract.versions.map((version) => [version.number, compileVersion(service, operation, version, isList)]),
  );
  const validateQuery = compileValidator(object(operation.query as Fields), { defaults: true });
  const errorCodes = new Set(errorsOf(operation).map(({ code }) => code));
  return { service, operation, handler: service.handlerOf(operation), errorCodes, isList, validateQuery, versions };
}

function compileVersion(
  service: RunningService,
  operation: Named<AnyOperation>,
  version: ApiVersion,
  isList: boolean,
): VersionedRoute {
  const { resource } = operation;
  const shape = resource === undefined ? undefined : shapeOf(resource, version.number, service.contract.changes);
  const bodySchema = bodyOf(operation, shape);
  const answer = answerSchema(operation, shape, isList);
  return {
    version,
    shape,
    validateBody: bodySchema && compileValidator(bodySchema, { defaults: true }),
    bodyProperties: new Set(Object.keys((bodySchema && schemaOf(bodySchema).properties) ?? {})),
    grammar: shape ? grammarOf(resource!, shape) : isList ? pagesOnly : undefined,
    validateAnswer: answer && compileValidator(answer),
    answers: new WeakMap(),
  };
}

function bodyOf({ action, body }: AnyOperation, shape: Shape | undefined): TSchema | undefined {
  if (action === "create") return shape!.create;
  if (action === "bulk") return bulkBody(shape!.create);
  return action === "replace" || action === "update" ? shape!.replace : body;
}

function answerSchema(operation: AnyOperation, shape: Shape | undefined, isList: boolean): TSchema | undefined {
  if (operation.returns === undefined || shape === undefined) return operation.returns;
  if (operation.action === "bulk") return bulkAnswer(shape.representation);
  if (operation.action === "create") return shape.created;
  if (!isList) return shape.answer;
  const page = schemaOf(operation.returns).properties as unknown as Fields;
  return object({ ...page, data: { type: "array", items: answered(shape.answer) } });
}
