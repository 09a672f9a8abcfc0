// The list of an owner has one plan for all owners. Here is why it may: it is right for each of them.

import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { encodeId, silentLogger, systemClock } from "../base/index.ts";
import { id, type ListQuery, resource, text } from "../contract/index.ts";
import { createTestDatabase } from "../testing/index.ts";
import { explain, readingOf, type Sent } from "../testing/plans/explain.ts";
import { createDatabase, type Database } from "./database.ts";
import type { Queryable } from "./queryable.ts";
import { createTable } from "./table.ts";

const stone = resource("stone", {
  path: "/stones",
  id: "stn",
  properties: { name: text({ max: 200 }) },
  readOnly: { userId: id("usr") },
  owner: "userId",
  access: {},
});
const table = createTable(stone);
const query: ListQuery = {
  filters: [],
  sort: [
    { property: "createdAt", descending: true },
    { property: "id", descending: true },
  ],
  q: undefined,
  limit: 20,
  page: 1,
  cursor: undefined,
  fields: undefined,
  includeDeleted: false,
};
const ownerOf = (n: number) => encodeId("usr", `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`);

let database: Database;
before(async () => {
  const { url } = await createTestDatabase();
  database = createDatabase({ url, log: silentLogger, clock: systemClock });
  await database.query(
    `create table stones (id uuid primary key, name text, user_id uuid, version int, created_at timestamptz, updated_at timestamptz);
     create index on stones (user_id, created_at, id)`,
  );
});
after(() => database.close());

/** Owner 1 has 10,000 stones; the others `each`, wherever they lie in the table. */
async function fill(others: number, each: number): Promise<void> {
  await database.query(`truncate stones`);
  await database.query(
    `insert into stones
     select gen_random_uuid(), repeat('x', 100), ('00000000-0000-7000-8000-' || lpad(owner::text, 12, '0'))::uuid, 1, at, at
     from (select 1 as owner, n from generate_series(1, 10000) n
           union all select 2 + k, n from generate_series(0, ${others - 1}) k, generate_series(1, ${each}) n) as wanted,
          lateral (select timestamptz '2026-01-01' + abs(hashint8(owner * 1000003::bigint + n) % 1000000) * interval '1 second' as at)
     order by at`,
  );
  await database.query("analyze stones");
}

async function sentFor(owner: string): Promise<{ sent: Sent[]; total: number | undefined; rows: number }> {
  const sent: Sent[] = [];
  const db: Queryable = {
    query(sql, values = []) {
      sent.push({ sql, values });
      return database.query(sql, values);
    },
  };
  const cursors = { encode: () => "", decode: () => [] };
  const page = await table.list(db, query, { scope: { userId: owner }, cursors, binding: "" });
  return { sent, total: page.total, rows: page.rows.length };
}

for (const [others, each] of [
  [10_000, 1],
  [3_000, 3],
  [500, 30],
  [50, 300],
] as const) {
  test(`the newest of an owner are read from the index, among ${others} others who have ${each} each`, async () => {
    await fill(others, each);
    for (const [owner, has] of [
      [1, 10_000],
      [2, each],
    ] as const) {
      const { sent, total, rows } = await sentFor(ownerOf(owner));
      deepEqual([total, rows], [has, Math.min(has, 20)]);
      ok(sent.every(({ sql }) => typeof sql !== "string"));
      const list = sent.find(({ sql }) => typeof sql !== "string" && sql.text.includes("limit"))!;
      const reading = readingOf(await database.transaction((tx) => explain(tx, list)));
      equal(reading.sequential, false);
      ok(reading.rows <= 21, `${reading.rows} rows by ${reading.scans.join(", ")}`);
    }
  });
}
