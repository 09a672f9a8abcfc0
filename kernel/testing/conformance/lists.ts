// The envelope of a list, pages, sort and fields.

import { strict as assert } from "node:assert";
import { grammarOf, kindOf, type TSchema } from "../../contract/index.ts";
import type { TestAnswer } from "../client.ts";
import { type Bench, refused } from "./bench.ts";
import type { Row } from "./subject.ts";

const rowsMin = 7;

export function checkLists(bench: Bench): void {
  if (!bench.has("list")) return;
  const { check, ask, collection, item, shown, has } = bench;
  const get = (query: string) => ask("GET", `${collection}?${query}`);
  const { sortKeys } = grammarOf(bench.subject.resource, bench.shape);

  check("a list is data and pagination, with 20 a page unless asked otherwise", async () => {
    await ensureRows(bench, 21);
    const { status, json } = await ask("GET", collection);
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(json), ["data", "pagination"]);
    assert.deepEqual(Object.keys(json.pagination).toSorted(), ["hasMore", "limit", "nextCursor", "page", "total"]);
    const { total, page, limit, hasMore, nextCursor } = json.pagination;
    assert.deepEqual([page, limit, hasMore, typeof nextCursor, json.data.length], [1, 20, true, "string", 20]);
    assert.ok(total > 20);
    for (const row of json.data) assert.deepEqual(Object.keys(row), Object.keys(shown));
    const newest = json.data.map((row: Row) => `${String(row.createdAt).padEnd(27, "0")} ${row.id}`);
    assert.deepEqual(newest, newest.toSorted().toReversed());
  });

  check("limit is 1 to 100 and page counts from 1; anything else is 400", async () => {
    for (const limit of ["1", "100"]) assert.equal((await get(`limit=${limit}`)).json.pagination.limit, Number(limit));
    for (const value of ["0", "101", "-1", "1.5", "1e1", "NaN", "01", "+1", "", "%20", "1,2", "99999999999999999999", "0x10"]) {
      assert.deepEqual(refused(await get(`limit=${value}`), 400, "VALIDATION_ERROR"), ["limit"], value);
      if (value !== "101") assert.deepEqual(refused(await get(`page=${value}`), 400, "VALIDATION_ERROR"), ["page"], value);
    }
    const beyond = await get("page=2147483647&limit=100");
    assert.deepEqual([beyond.status, beyond.json.data, beyond.json.pagination.hasMore, beyond.json.pagination.nextCursor], [200, [], false, null]);
  });

  check("pages and their Link lead through every row once, forwards and back", async () => {
    await ensureRows(bench, rowsMin);
    const seen: string[] = [];
    let last = "";
    for (let path: string | undefined = `${collection}?limit=3&sort=id`; path !== undefined; ) {
      const answer: TestAnswer = await ask("GET", path);
      const links = linksOf(answer);
      assert.equal(answer.json.pagination.hasMore, "next" in links);
      assert.equal(answer.json.pagination.page > 1, "prev" in links);
      seen.push(...answer.json.data.map(({ id }: Row) => id));
      last = links.last!;
      path = links.next;
      if (path === undefined) assert.equal(answer.json.pagination.total, seen.length);
    }
    assert.deepEqual(seen, seen.toSorted());
    assert.equal(new Set(seen).size, seen.length);
    const end = await ask("GET", last);
    assert.equal(end.json.data.at(-1).id, seen.at(-1));
    assert.equal(linksOf(await ask("GET", linksOf(end).first!)).first, linksOf(end).first);
  });

  check("sort takes +, %2B, a space and nothing as ascending, - as descending, and the id breaks ties", async () => {
    await ensureRows(bench, rowsMin);
    for (const [key, property] of sortKeys) {
      const ids = async (sort: string) => (await bench.all(`sort=${sort}`)).map(({ id }) => id);
      const ascending = await bench.all(`sort=${key}`);
      const up = ascending.map(({ id }) => id);
      for (const sort of [`+${key}`, `%2B${key}`, `%20${key}`]) assert.deepEqual(await ids(sort), up, sort);
      assert.deepEqual(await ids(`-${key}`), up.toReversed(), `-${key}`);
      const values = ascending.map((row) => row[key]);
      if (isOrdered(shown[key]!)) assert.deepEqual(values, values.toSorted(compare), key);
      if (property !== "id") assert.deepEqual(await ids(`${key},-id`), reversedTies(ascending, key), `${key},-id`);
    }
  });

  check("an unknown, repeated or empty sort key is 400", async () => {
    const injected = ["id;select%20pg_sleep(2)", "(case%20when%201=1%20then%20id%20end)", "-createdAt,+(select%201)", "created_at", "id%20desc", "constructor", "__proto__"];
    for (const sort of ["", ",", "id,", "nonsense", "-", "+", "--id", "id,id", "-id,+id", "ID", ...Object.keys(bench.subject.resource.spec.private ?? {}), ...injected]) {
      assert.deepEqual(refused(await get(`sort=${sort}`), 400, "VALIDATION_ERROR"), ["sort"], sort);
    }
    assert.deepEqual(refused(await get("sort=id&sort=-id"), 400), ["sort"]);
  });

  check("fields narrows to exactly those, in lists and rows", async () => {
    const { id } = await bench.row();
    const all = Object.keys(shown);
    for (const fields of [["id"], ["createdAt", "id"], all, all.toReversed()]) {
      const list = await get(`fields=${fields.join(",")}&sort=-createdAt`);
      assert.deepEqual(Object.keys(list.json.data[0]), fields);
      if (has("get")) assert.deepEqual(Object.keys((await ask("GET", `${item(id)}?fields=${fields.join(",")}`)).json), fields);
    }
    const unknown = ["", ",", "id,", "nonsense", "id,id", "*", "ID", "created_at", "deletedAt", "constructor", ...Object.keys(bench.subject.resource.spec.private ?? {})];
    for (const fields of unknown) {
      assert.deepEqual(refused(await get(`fields=${fields}`), 400, "VALIDATION_ERROR"), ["fields"], fields);
      if (has("get")) assert.deepEqual(refused(await ask("GET", `${item(id)}?fields=${fields}`), 400), ["fields"], fields);
    }
  });

  check("unknown parameters and repeated ones are refused, all together", async () => {
    const answer = await get("limit=0&page=x&sort=nonsense&fields=nonsense&nonsense=1&__proto__=1&a[b]=1&limit2=1&createdAfter=yesterday");
    assert.deepEqual(refused(answer, 400, "VALIDATION_ERROR").toSorted(), ["__proto__", "a[b]", "createdAfter", "fields", "limit", "limit2", "nonsense", "page", "sort"]);
    assert.deepEqual(refused(await get("limit=5&limit=5&page=1&page=1"), 400), ["limit", "page"]);
    if (has("get")) assert.deepEqual(refused(await ask("GET", `${item(bench.unknownId.replace(/.$/, "r"))}?nonsense=1`), 404), []);
    if (has("get")) assert.deepEqual(refused(await ask("GET", `${item((await bench.row()).id)}?limit=1&nonsense=1`), 400), ["limit", "nonsense"]);
  });
}

export async function ensureRows({ ask, collection, row }: Bench, wanted: number): Promise<void> {
  const { json } = await ask("GET", `${collection}?limit=1`);
  for (let have: number = json.pagination.total; have < wanted; have++) await row();
}

export function linksOf({ headers }: TestAnswer): Partial<Record<string, string>> {
  return Object.fromEntries([...(headers.get("link") ?? "").matchAll(/<([^>]*)>; rel="([^"]*)"/g)].map(([, path, rel]) => [rel!, path!]));
}

/** Whether the order of these values is the same everywhere; that of text depends on a collation. */
function isOrdered(schema: Bench["shown"][string]): boolean {
  return ["number", "money", "moment", "day", "flag"].includes(kindOf(schema as unknown as TSchema));
}

export function compare(a: unknown, b: unknown): number {
  const [left, right] = [a, b].map((value) => (typeof value === "string" && value.endsWith("Z") ? value.slice(0, -1).padEnd(27, "0") : value)) as [string, string];
  return left < right ? -1 : left > right ? 1 : 0;
}

function reversedTies(rows: readonly Row[], key: string): string[] {
  const groups: string[][] = [];
  for (const [index, row] of rows.entries()) {
    if (index > 0 && rows[index - 1]![key] === row[key]) groups.at(-1)!.unshift(row.id);
    else groups.push([row.id]);
  }
  return groups.flat();
}
