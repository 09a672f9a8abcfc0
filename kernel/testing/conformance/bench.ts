// A running system and a resource of it, with the few moves that every check is made of.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { type Action, type JsonSchema, schemaOf, type Shape, shapeOf } from "../../contract/index.ts";
import type { TestAnswer, TestRequest } from "../client.ts";
import type { TestSystem } from "../system.ts";
import type { Body, Callers, Row, Subject } from "./subject.ts";

export interface Ask extends Omit<TestRequest, "authorization"> {
  /** An `Authorization` header, or `nobody`. Default: the caller who may. */
  as?: string;
}

export const nobody = "";

export interface Bench {
  readonly subject: Subject;
  readonly system: TestSystem;
  readonly callers: Callers;
  readonly version: number;
  readonly shape: Shape;
  /** The properties of the version's representation, and of its bodies. */
  readonly shown: Readonly<Record<string, JsonSchema>>;
  readonly writable: Readonly<Record<string, JsonSchema>>;
  readonly creatable: Readonly<Record<string, JsonSchema>>;
  /** `/v2/products`. */
  readonly collection: string;
  /** The collection without its version. */
  readonly bare: string;
  /** An id that no row has. */
  readonly unknownId: string;
  has(action: Action): boolean;
  check(title: string, run: () => Promise<void>): void;
  ask(method: string, path: string, ask?: Ask): Promise<TestAnswer>;
  item(id: string): string;
  nextBody(version?: number): Body;
  /** A new row, as it is answered. */
  row(): Promise<Row>;
  read(id: string): Promise<Row>;
  /** Every row that a list with this query shows, page by page. */
  all(query: string, as?: string): Promise<Row[]>;
  /** PATCH, or PUT where there is no PATCH, with `If-Match: *` unless `headers` says otherwise. */
  change(row: Row, ask?: Ask): Promise<TestAnswer>;
  /** What `change` sends by default: a change, as a PATCH or as a whole. */
  changeBody(row: Row): Body;
  variation(row: Row): Body;
  /** The whole body of a PUT that leaves the row as it is. */
  whole(row: Row): Body;
}

export async function openBench(subject: Subject, settings?: Parameters<Subject["start"]>[0]): Promise<Bench> {
  const { contract, resource } = subject;
  const system = await subject.start(settings);
  const callers = await subject.callers(system);
  const version = subject.version ?? contract.versions.at(-1)!.number;
  const shape = shapeOf(resource, version, contract.changes);
  const bare = resource.spec.path.replace(/\{(\w+)\}/g, (_, name: string) => subject.params![name]!);
  const collection = `/v${version}${bare}`;
  const { version: _version, ...writable } = propertiesOf(shape.replace);
  let count = 0;

  const has = (action: Action) => resource.spec.access[action] !== undefined;
  const ask: Bench["ask"] = (method, path, { as = callers.able, ...request } = {}) =>
    system.request(method, path, { ...request, ...(as === nobody ? {} : { authorization: as }) });
  const item = (id: string) => `${collection}/${id}`;
  const nextBody = (of = version) => subject.body(++count, of);
  const read = async (id: string): Promise<Row> => {
    const answer = has("get") ? await ask("GET", item(id)) : await findInList(ask, collection, id);
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  };
  const whole = (row: Row) => Object.fromEntries(Object.keys(writable).map((name) => [name, row[name]]));
  const variation = (row: Row) => subject.variation?.(row) ?? differences(subject, shape, writable, row, nextBody());
  const changeBody = (row: Row) => (has("update") ? variation(row) : { ...whole(row), ...variation(row) });
  return {
    subject,
    system,
    callers,
    version,
    shape,
    shown: propertiesOf(shape.representation),
    writable,
    creatable: propertiesOf(shape.create),
    collection,
    bare,
    unknownId: `${resource.spec.id}_01h455vb4pex5vsknk084sn02q`,
    has,
    check: (title, run) => void test(`${resource.plural}: ${title}`, run),
    ask,
    item,
    nextBody,
    read,
    all: (query, as) => walkPages((path) => ask("GET", path, as === undefined ? {} : { as }), `${collection}?${query}`),
    async row() {
      if (subject.make !== undefined) return read(await subject.make(system, ++count));
      const { status, json, text } = await ask("POST", collection, { body: nextBody() });
      assert.equal(status, 201, text);
      return resource.spec.shownOnce === undefined ? json : read(json.id);
    },
    change: (row, { headers, ...rest } = {}) =>
      ask(has("update") ? "PATCH" : "PUT", item(row.id), {
        body: changeBody(row),
        ...rest,
        headers: headers ?? { "if-match": "*" },
      }),
    changeBody,
    variation,
    whole,
  };
}

function propertiesOf(schema: Shape["create"]): Record<string, JsonSchema> {
  return schemaOf(schema).properties ?? {};
}

async function walkPages(get: (path: string) => Promise<TestAnswer>, path: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (let page = 1; ; page++) {
    const { status, json, text } = await get(`${path}${path.endsWith("?") ? "" : "&"}limit=100&page=${page}`);
    assert.equal(status, 200, text);
    rows.push(...json.data);
    if (json.pagination.hasMore !== true) {
      assert.equal(rows.length, json.pagination.total);
      return rows;
    }
  }
}

async function findInList(ask: Bench["ask"], collection: string, id: string): Promise<TestAnswer> {
  const list = await ask("GET", `${collection}?limit=100&sort=-createdAt`);
  const found = list.json.data.find((row: Row) => row.id === id);
  return { ...list, status: found === undefined ? 404 : 200, json: found };
}

/** What a PATCH may set and differs between a row and another body; unique properties are left alone. */
function differences({ resource }: Subject, shape: Shape, writable: object, row: Row, other: Body): Body {
  const apart = new Set([
    ...(resource.spec.unique ?? []).flat().map(String),
    ...Object.keys(resource.spec.writableBy ?? {}),
  ]);
  const names = Object.keys(writable).filter((name) => name in other && !apart.has(shape.newestName(name)));
  const changed = names.filter((name) => JSON.stringify(other[name]) !== JSON.stringify(row[name]));
  if (changed.length === 0)
    throw new Error(
      `The bodies of ${resource.plural} must differ in a property that PATCH may set, beside the unique ones.`,
    );
  return Object.fromEntries(changed.map((name) => [name, other[name]]));
}

/** Asserts a refusal and answers its fields. */
export function refused({ status, json, text }: TestAnswer, expected: number, code?: string): string[] {
  assert.equal(status, expected, text);
  if (code !== undefined) assert.equal(json.error.code, code, text);
  return json.error.details.map(({ field }: { field: string }) => field);
}
