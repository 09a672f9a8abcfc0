// The order of a list, and what is shown of its rows.

import { strict as assert } from "node:assert";
import { grammarOf, kindOf } from "../../contract/index.ts";
import { type Bench, refused } from "./bench.ts";
import { compare, ensureRows, rowsMin } from "./lists.ts";
import type { Row } from "./subject.ts";

export function checkSorting(bench: Bench): void {
  if (!bench.has("list")) return;
  const { check, ask, collection, item, shown, has } = bench;
  const get = (query: string) => ask("GET", `${collection}?${query}`);
  const { sortKeys } = grammarOf(bench.subject.resource, bench.shape);

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
    const injected = [
      "id;select%20pg_sleep(2)",
      "(case%20when%201=1%20then%20id%20end)",
      "-createdAt,+(select%201)",
      "created_at",
      "id%20desc",
      "constructor",
      "__proto__",
    ];
    for (const sort of [
      "",
      ",",
      "id,",
      "nonsense",
      "-",
      "+",
      "--id",
      "id,id",
      "-id,+id",
      "ID",
      ...Object.keys(bench.subject.resource.spec.private ?? {}),
      ...injected,
    ]) {
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
      if (has("get"))
        assert.deepEqual(Object.keys((await ask("GET", `${item(id)}?fields=${fields.join(",")}`)).json), fields);
    }
    const unknown = [
      "",
      ",",
      "id,",
      "nonsense",
      "id,id",
      "*",
      "ID",
      "created_at",
      "deletedAt",
      "constructor",
      ...Object.keys(bench.subject.resource.spec.private ?? {}),
    ];
    for (const fields of unknown) {
      assert.deepEqual(refused(await get(`fields=${fields}`), 400, "VALIDATION_ERROR"), ["fields"], fields);
      if (has("get"))
        assert.deepEqual(refused(await ask("GET", `${item(id)}?fields=${fields}`), 400), ["fields"], fields);
    }
  });
}

/** Whether the order of these values is the same everywhere; that of text depends on a collation. */
function isOrdered(schema: Bench["shown"][string]): boolean {
  return ["number", "money", "moment", "day", "flag"].includes(kindOf(schema));
}

function reversedTies(rows: readonly Row[], key: string): string[] {
  const groups: string[][] = [];
  for (const [index, row] of rows.entries()) {
    if (index > 0 && rows[index - 1]![key] === row[key]) groups.at(-1)!.unshift(row.id);
    else groups.push([row.id]);
  }
  return groups.flat();
}
