// Parameters of a request: those of its path, and its query by the grammar that the contract has for it.

import { isId } from "../base/index.ts";
import type { Caller } from "../auth/index.ts";
import {
  type AnyOperation,
  type Detail,
  type Fields,
  kindOf,
  notFound,
  readItemQuery,
  readListQuery,
  readValue,
  refuse,
  schemaOf,
} from "../contract/index.ts";
import type { Query } from "../http/index.ts";
import { authorizeDeleted } from "./authorize.ts";
import type { Route, VersionedRoute } from "./routes.ts";

/** An id that is malformed or carries a foreign prefix names nothing: 404. */
export function checkParams(operation: AnyOperation, params: Record<string, string>): void {
  const declared = operation.params as Fields;
  for (const name in declared) {
    const prefix = schemaOf(declared[name]!)["x-id-prefix"];
    if (prefix !== undefined && !isId(prefix, params[name]!)) throw notFound();
  }
}

export interface DecodedQuery {
  query: Record<string, unknown>;
  list: ReturnType<typeof readListQuery>["list"] | undefined;
  fields: readonly string[] | undefined;
  includeDeleted: boolean;
}

/** `findRow` throws 404: a read finds its row in the handler, but no complaint about the query may come first. */
export function decodeQuery(
  route: Route,
  versioned: VersionedRoute,
  query: Query,
  caller: Caller,
  findRow: (includeDeleted: boolean) => Promise<unknown>,
): DecodedQuery | Promise<DecodedQuery> {
  const { operation, isList } = route;
  if (isList) {
    const { list, details } = readListQuery(versioned.grammar!, query);
    if (list.includeDeleted) authorizeDeleted(operation, caller);
    refuse(details);
    return { query: {}, list, fields: list.fields, includeDeleted: list.includeDeleted };
  }
  if (versioned.grammar !== undefined && operation.method === "GET") {
    const { fields, includeDeleted, details } = readItemQuery(versioned.grammar, query);
    if (includeDeleted) authorizeDeleted(operation, caller);
    const decoded = { query: {}, list: undefined, fields, includeDeleted };
    if (operation.action === "get" && details.length > 0)
      return findRow(includeDeleted).then(() => {
        refuse(details);
        return decoded;
      });
    refuse(details);
    return decoded;
  }
  return { query: readDeclared(route, query), list: undefined, fields: undefined, includeDeleted: false };
}

/** The parameters that the operation declares, read as their types are written and validated like a body. */
function readDeclared({ validateQuery, operation }: Route, query: Query): Record<string, unknown> {
  const fields = operation.query as Fields;
  const details: Detail[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, sent] of query) {
    if (name === "version") continue;
    const schema = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const value = schema && readValue(kindOf(schema), sent[0]!);
    if (schema === undefined) details.push({ field: name, message: "is not a known parameter" });
    else if (sent.length > 1) details.push({ field: name, message: "may be given only once" });
    else if (value === undefined) details.push({ field: name, message: "must be a value of the right form" });
    else values[name] = value;
  }
  const named = new Set(details.map(({ field }) => field));
  refuse([...details, ...validateQuery(values).filter(({ field }) => !named.has(field))]);
  return values;
}
