// The envelope of a list and its pages.

import { strict as assert } from "node:assert";
import type { TestAnswer } from "../client.ts";
import { type Bench, refused } from "./bench.ts";
import type { Row } from "./subject.ts";

/** Enough for several pages of three. */
export const rowsMin = 7;

export function checkLists(bench: Bench): void {
  if (!bench.has("list")) return;
  const { check, ask, collection, item, shown, has } = bench;
  const get = (query: string) => ask("GET", `${collection}?${query}`);

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
    for (const value of [
      "0",
      "101",
      "-1",
      "1.5",
      "1e1",
      "NaN",
      "01",
      "+1",
      "",
      "%20",
      "1,2",
      "99999999999999999999",
      "0x10",
    ]) {
      assert.deepEqual(refused(await get(`limit=${value}`), 400, "VALIDATION_ERROR"), ["limit"], value);
      if (value !== "101")
        assert.deepEqual(refused(await get(`page=${value}`), 400, "VALIDATION_ERROR"), ["page"], value);
    }
    const beyond = await get("page=2147483647&limit=100");
    assert.deepEqual(
      [beyond.status, beyond.json.data, beyond.json.pagination.hasMore, beyond.json.pagination.nextCursor],
      [200, [], false, null],
    );
  });

  check("pages and their Link lead through every row once, forwards and back", async () => {
    await ensureRows(bench, rowsMin);
    const seen: string[] = [];
    let last = "";
    for (let path: string | undefined = `${collection}?limit=3&sort=id`; path !== undefined;) {
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

  check("unknown parameters and repeated ones are refused, all together", async () => {
    const answer = await get(
      "limit=0&page=x&sort=nonsense&fields=nonsense&nonsense=1&__proto__=1&a[b]=1&limit2=1&createdAfter=yesterday",
    );
    assert.deepEqual(refused(answer, 400, "VALIDATION_ERROR").toSorted(), [
      "__proto__",
      "a[b]",
      "createdAfter",
      "fields",
      "limit",
      "limit2",
      "nonsense",
      "page",
      "sort",
    ]);
    assert.deepEqual(refused(await get("limit=5&limit=5&page=1&page=1"), 400), ["limit", "page"]);
    if (has("get"))
      assert.deepEqual(refused(await ask("GET", `${item(bench.unknownId.replace(/.$/, "r"))}?nonsense=1`), 404), []);
    if (has("get"))
      assert.deepEqual(refused(await ask("GET", `${item((await bench.row()).id)}?limit=1&nonsense=1`), 400), [
        "limit",
        "nonsense",
      ]);
  });
}

export async function ensureRows({ ask, collection, row }: Bench, wanted: number): Promise<void> {
  const { json } = await ask("GET", `${collection}?limit=1`);
  for (let have: number = json.pagination.total; have < wanted; have++) await row();
}

export function linksOf({ headers }: TestAnswer): Partial<Record<string, string>> {
  return Object.fromEntries(
    [...(headers.get("link") ?? "").matchAll(/<([^>]*)>; rel="([^"]*)"/g)].map(([, path, rel]) => [rel!, path!]),
  );
}

export function compare(a: unknown, b: unknown): number {
  const [left, right] = [a, b].map((value) =>
    typeof value === "string" && value.endsWith("Z") ? value.slice(0, -1).padEnd(27, "0") : value,
  ) as [string, string];
  return left < right ? -1 : left > right ? 1 : 0;
}
