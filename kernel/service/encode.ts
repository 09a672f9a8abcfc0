// From what a handler returned to the answer: representation, status, Location, ETag, Link.

import { createHash } from "node:crypto";
import {
  type AnyOperation,
  type ListQuery,
  type Page,
  type Resource,
  schemaOf,
  type Shape,
} from "../contract/index.ts";
import type { Table } from "../data/index.ts";
import { type Answer, etagOf, type Link, linkHeader, type Query } from "../http/index.ts";
import type { Route, VersionedRoute } from "./routes.ts";
import { representationOf } from "./rows.ts";

type Row = Record<string, unknown>;

export interface Encoding {
  route: Route;
  versioned: VersionedRoute;
  fields: readonly string[] | undefined;
  list: ListQuery | undefined;
  /** Rows are shown with `deletedAt`. */
  includeDeleted: boolean;
  /** The path and query of the request, for `Link`. */
  path: string;
  query: Query;
  /** Validates what goes out against the contract: on in tests and development. */
  checkAnswers: boolean;
}

export function encodeResult(encoding: Encoding, result: unknown): Answer {
  const { operation } = encoding.route;
  if (operation.status === 204) return { status: 204, headers: {} };
  if (encoding.route.stored !== undefined) return encodeStored(encoding, encoding.route.stored, result);
  if (operation.action === "bulk") return encodeMany(encoding, operation.resource!, result as Row[]);
  if (encoding.route.isList) return encodePage(encoding, result as Page<Row>);
  if (encoding.versioned.shape !== undefined) return encodeRow(encoding, operation.resource!, result as Row);
  checkAnswer(encoding, operation, result);
  const body = JSON.stringify(result);
  return { status: operation.status, headers: operation.method === "GET" ? { etag: etagOf(body) } : {}, body };
}

/** Rows as the database has them: written as they are, unless this version or this request shows them otherwise. */
function encodeStored(encoding: Encoding, table: Table, result: unknown): Answer {
  const { versioned, fields, includeDeleted, checkAnswers, route } = encoding;
  const asStored = versioned.shape!.newest && fields === undefined && !includeDeleted;
  if (!asStored || checkAnswers) {
    const decoded = route.isList
      ? encodePage(encoding, { ...(result as Page<Row>), data: (result as Page<Row>).data.map(table.decode) })
      : encodeRow(encoding, table.resource, table.decode(result as Row));
    if (!asStored) return decoded;
  }
  const { status } = route.operation;
  if (!route.isList) {
    const etag = tagOf(Number((result as Row).version), versioned.version.number, encoding);
    return { status, headers: { etag }, body: table.write(result as Row) };
  }
  const { data, pagination } = result as Page<Row>;
  // Bytes, since its text is long: the tag is made of them, and they are what is sent.
  const body = Buffer.from(`{"data":[${data.map(table.write).join(",")}],"pagination":${JSON.stringify(pagination)}}`);
  return { status, headers: { etag: etagOf(body), ...linksOf(encoding, pagination) }, body };
}

function encodeRow(encoding: Encoding, resource: Resource, row: Row): Answer {
  const { operation } = encoding.route;
  const shown = { ...present(encoding, resource, row), ...shownOnce(operation, resource, row) };
  checkAnswer(encoding, operation, shown);
  const headers: Record<string, string> = {
    etag: tagOf(Number(row.version), encoding.versioned.version.number, encoding),
  };
  if (operation.status === 201) headers.location = locationOf(resource, row, encoding.versioned.version.number);
  return { status: operation.status, headers, body: JSON.stringify(narrowed(shown, encoding.fields)) };
}

/** What a bulk create made. Each has a URL and a tag of its own, so the answer names none. */
function encodeMany(encoding: Encoding, resource: Resource, rows: readonly Row[]): Answer {
  const { operation } = encoding.route;
  const shown = { data: rows.map((row) => present(encoding, resource, row)) };
  checkAnswer(encoding, operation, shown);
  return { status: operation.status, headers: {}, body: JSON.stringify(shown) };
}

function encodePage(encoding: Encoding, page: Page<Row>): Answer {
  const { operation } = encoding.route;
  const items =
    encoding.versioned.shape === undefined
      ? page.data
      : page.data.map((row) => present(encoding, operation.resource!, row));
  checkAnswer(encoding, operation, { data: items, pagination: page.pagination });
  const body = JSON.stringify({
    data: items.map((item) => narrowed(item, encoding.fields)),
    pagination: page.pagination,
  });
  return { status: operation.status, headers: { etag: etagOf(body), ...linksOf(encoding, page.pagination) }, body };
}

function present({ versioned, includeDeleted }: Encoding, resource: Resource, row: Row): Row {
  const shown = inShape(versioned.shape!, representationOf(resource, row));
  return includeDeleted ? { ...shown, deletedAt: row.deletedAt } : shown;
}

function shownOnce({ action }: AnyOperation, { spec }: Resource, row: Row): Row {
  if (action !== "create") return {};
  return Object.fromEntries(Object.keys(spec.shownOnce ?? {}).map((name) => [name, row[name]]));
}

function inShape(shape: Shape, newest: Row): Row {
  if (shape.newest) return newest;
  const older = shape.down(newest);
  // In the order of the declared shape, whatever order the translation produced.
  return Object.fromEntries(Object.keys(schemaOf(shape.representation).properties!).map((name) => [name, older[name]]));
}

function narrowed(shown: Row, fields: readonly string[] | undefined): Row {
  return fields === undefined ? shown : Object.fromEntries(fields.map((name) => [name, shown[name]]));
}

/** `"3"` for the plain representation; a suffix for every other, since a strong tag names the very bytes. */
export function tagOf(
  rowVersion: number,
  apiVersion: number,
  { fields, includeDeleted }: Pick<Encoding, "fields" | "includeDeleted">,
): string {
  const api = apiVersion === 1 && fields === undefined ? "" : `.v${apiVersion}`;
  const deleted = includeDeleted ? ".deleted" : "";
  const narrow =
    fields === undefined ? "" : `.${createHash("sha1").update(fields.join(",")).digest("hex").slice(0, 8)}`;
  return `"${rowVersion}${api}${deleted}${narrow}"`;
}

function locationOf(resource: Resource, row: Row, version: number): string {
  const collection = resource.spec.path.replace(/\{(\w+)\}/g, (_, parameter: string) =>
    encodeURIComponent(String(row[parameter])),
  );
  return `/v${version}${collection}/${encodeURIComponent(String(row.id))}`;
}

function linksOf({ path, query, list }: Encoding, pagination: Page<unknown>["pagination"]): Record<string, string> {
  const at = (changes: Record<string, string | undefined>) => {
    const kept = [...query].filter(
      ([name]) => !("page" in changes && name === "page") && !("cursor" in changes && name === "cursor"),
    );
    const added = Object.entries(changes).filter(([, value]) => value !== undefined);
    return {
      path,
      query: [
        ...kept.map(([name, values]) => [name, values[0]!] as const),
        ...added.map(([name, value]) => [name, value!] as const),
      ],
    };
  };
  const { page, total, limit, hasMore, nextCursor } = pagination;
  const links: Link[] = [];
  if (page === undefined) {
    if (nextCursor !== null) links.push({ rel: "next", ...at({ cursor: nextCursor, page: undefined }) });
    links.push({ rel: "first", ...at({ cursor: undefined, page: undefined }) });
  } else if (list !== undefined) {
    const lastPage = Math.max(1, Math.ceil((total ?? 0) / limit));
    links.push({ rel: "first", ...at({ page: "1" }) });
    if (page > 1) links.push({ rel: "prev", ...at({ page: String(Math.min(page - 1, lastPage)) }) });
    if (hasMore) links.push({ rel: "next", ...at({ page: String(page + 1) }) });
    links.push({ rel: "last", ...at({ page: String(lastPage) }) });
  }
  return { link: linkHeader(links) };
}

function checkAnswer(
  { versioned, checkAnswers }: Encoding,
  operation: AnyOperation & { name: string },
  answer: unknown,
): void {
  const details = checkAnswers ? (versioned.validateAnswer?.(answer) ?? []) : [];
  if (details.length === 0) return;
  throw new Error(
    `Operation ${operation.name} answered what its contract does not declare: ${details.map(({ field, message }) => `${field} ${message}`).join("; ")}`,
  );
}
