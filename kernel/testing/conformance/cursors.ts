// Cursors: complete, exclusive, bound to what they were issued for.

import { strict as assert } from "node:assert";
import { grammarOf } from "../../contract/index.ts";
import { type Bench, refused } from "./bench.ts";
import { ensureRows, linksOf } from "./lists.ts";
import type { Row } from "./subject.ts";

export function checkCursors(bench: Bench): void {
  if (!bench.has("list")) return;
  const { check, ask, collection, item, has, callers } = bench;
  const get = (query: string, as = callers.able) => ask("GET", `${collection}?${query}`, { as });
  const { sortKeys } = grammarOf(bench.subject.resource, bench.shape);
  const orders = [...sortKeys.keys()]
    .flatMap((key) => [key, `-${key}`, `${key},-createdAt`])
    .filter((sort) => !/createdAt,-createdAt/.test(sort));

  check("walking by cursor sees what pages show, in every order, and counts nothing", async () => {
    await ensureRows(bench, 7);
    for (const sort of orders) {
      const expected = (await bench.all(`sort=${sort}`)).map(({ id }) => id);
      const seen: string[] = [];
      // Small pages where order matters most, then large ones to the end.
      let cursor: string | null = (await get(`limit=3&sort=${sort}`)).json.pagination.nextCursor;
      seen.push(...expected.slice(0, 3));
      while (cursor !== null && seen.length <= expected.length) {
        const answer = await get(
          `limit=${seen.length < 20 ? 3 : 100}&sort=${sort}&cursor=${encodeURIComponent(cursor)}`,
        );
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(Object.keys(answer.json.pagination), ["limit", "hasMore", "nextCursor"]);
        seen.push(...answer.json.data.map(({ id }: Row) => id));
        cursor = answer.json.pagination.nextCursor;
        assert.equal(answer.json.pagination.hasMore, cursor !== null);
        assert.equal(linksOf(answer).next !== undefined, cursor !== null);
      }
      assert.deepEqual(seen, expected, sort);
    }
  });

  check("a walk along Link sees every row that stayed, once, while rows come and go", async () => {
    await ensureRows(bench, 7);
    const before = (await bench.all("")).map(({ id }) => id);
    const seen: string[] = [];
    const removed = new Set<string>();
    let path: string | undefined = `${collection}?limit=2`;
    for (let step = 0; path !== undefined; step++) {
      const answer = await ask("GET", path);
      seen.push(...answer.json.data.map(({ id }: Row) => id));
      path =
        step === 0
          ? `${collection}?limit=2&cursor=${encodeURIComponent(answer.json.pagination.nextCursor)}`
          : linksOf(answer).next?.replace(/limit=2\b/, step < 6 ? "limit=2" : "limit=50");
      if (step > 3 || !has("remove")) continue;
      await bench.row();
      // One that was seen, and one that was not.
      for (const id of [seen.at(-1)!, before.at(-1 - step)!].filter((one) => !removed.has(one))) {
        await ask("DELETE", item(id), { headers: { "if-match": "*" } });
        removed.add(id);
      }
    }
    assert.equal(new Set(seen).size, seen.length);
    for (const id of before) assert.ok(seen.includes(id) || removed.has(id), id);
  });

  check("a cursor that was tampered with is 400 INVALID_CURSOR", async () => {
    await ensureRows(bench, 3);
    const cursor: string = (await get("limit=1")).json.pagination.nextCursor;
    const flipped = [...cursor].map(
      (letter, index) => cursor.slice(0, index) + (letter === "A" ? "B" : "A") + cursor.slice(index + 1),
    );
    const forged = Buffer.from(JSON.stringify({ id: "' or 1=1" })).toString("base64url");
    for (const bad of [
      ...flipped.filter((one) => one !== cursor),
      "",
      "x",
      ".",
      `${cursor}.`,
      `${cursor}A`,
      cursor.slice(0, -1),
      forged,
      `${forged}.${forged}`,
      `${cursor}=`,
      "x".repeat(5000),
    ]) {
      assert.deepEqual(refused(await get(`limit=1&cursor=${bad}`), 400, "INVALID_CURSOR"), ["cursor"], bad);
    }
  });

  check("a cursor is bound to sort, filter and caller", async () => {
    await ensureRows(bench, 3);
    const { nextCursor } = (await get("limit=1")).json.pagination;
    const cursor = encodeURIComponent(nextCursor);
    assert.equal((await get(`limit=2&cursor=${cursor}`)).status, 200);
    for (const other of ["sort=createdAt", "sort=id", "createdAfter=2020-01-01"])
      refused(await get(`limit=1&${other}&cursor=${cursor}`), 400, "INVALID_CURSOR");
    if (callers.other !== undefined)
      refused(await get(`limit=1&cursor=${cursor}`, callers.other), 400, "INVALID_CURSOR");
  });

  check("a cursor excludes page", async () => {
    const { nextCursor } = (await get("limit=1")).json.pagination;
    assert.deepEqual(
      refused(await get(`limit=1&page=1&cursor=${encodeURIComponent(nextCursor)}`), 400, "VALIDATION_ERROR"),
      ["page"],
    );
  });
}
