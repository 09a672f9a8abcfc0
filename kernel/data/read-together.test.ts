import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { encodeId, silentLogger, systemClock, timestamp, uuidv7, systemRandom } from "../base/index.ts";
import { resource, text } from "../contract/index.ts";
import { createTestDatabase } from "../testing/index.ts";
import { createDatabase, type Database } from "./database.ts";
import type { Queryable } from "./queryable.ts";
import { createTable } from "./table.ts";

const stone = resource("stone", {
  path: "/stones",
  id: "stn",
  properties: { name: text({ max: 20 }) },
  softDelete: true,
  access: {},
});
const table = createTable(stone);
const newId = () => encodeId("stn", uuidv7(systemClock, systemRandom));
const now = timestamp(0);

let database: Database;
before(async () => {
  const { url } = await createTestDatabase();
  database = createDatabase({ url, log: silentLogger, clock: systemClock });
  await database.query(
    "create table stones (id uuid primary key, name text, version int, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz)",
  );
});
after(() => database.close());

/** The database, with a list of what is sent to it. */
function watched(fail?: Error): { db: Queryable; sent: (readonly unknown[] | undefined)[] } {
  const sent: (readonly unknown[] | undefined)[] = [];
  const db: Queryable = {
    query(sql, values) {
      sent.push(values);
      return fail === undefined ? database.query(sql, values) : Promise.reject(fail);
    },
  };
  return { db, sent };
}

async function stones(...names: string[]): Promise<string[]> {
  const rows = names.map((name) => ({ id: newId(), name }));
  await database.transaction(async (tx) => {
    for (const row of rows) await table.insert(tx, row, now);
  });
  return rows.map(({ id }) => id);
}

test("reads of one turn are one statement, and each gets its own row or nothing", async () => {
  const [flint, slate, gone] = await stones("flint", "slate", "gone");
  await database.transaction((tx) => table.remove(tx, gone!, now));
  const { db, sent } = watched();
  const asked = [flint!, slate!, newId(), gone!, flint!];
  const found = await Promise.all(asked.map((id) => table.get(db, id)));
  assert.deepEqual(
    found.map((row) => row?.name),
    ["flint", "slate", undefined, undefined, "flint"],
  );
  assert.equal(sent.length, 1);
  // Who changes its row changes nobody else's.
  assert.notEqual(found[0], found[4]);
});

test("the deleted are found by who asks for them, beside one who does not", async () => {
  const [gone, slate] = await stones("gone", "slate");
  await database.transaction((tx) => table.remove(tx, gone!, now));
  const { db } = watched();
  const [hidden, shown, other] = await Promise.all([
    table.get(db, gone!),
    table.get(db, gone!, { includeDeleted: true }),
    table.get(db, slate!, { includeDeleted: true }),
  ]);
  assert.deepEqual([hidden, shown?.name, other?.name], [undefined, "gone", "slate"]);
});

test("a read that begins after a commit sees it, whoever else is read with it", async () => {
  const [flint, slate] = await stones("flint", "slate");
  const { db } = watched();
  const before = table.get(db, slate!);
  await database.transaction((tx) => table.update(tx, flint!, { name: "changed" }, now));
  const [changed] = await Promise.all([table.get(db, flint!), table.get(db, slate!), before]);
  assert.equal(changed?.name, "changed");
});

test("more than a hundred reads of one turn are several statements", async () => {
  const ids = Array.from({ length: 250 }, newId);
  const { db, sent } = watched();
  await Promise.all(ids.map((id) => table.get(db, id)));
  assert.deepEqual(
    sent.map((values) => (values![0] as string[]).length),
    [100, 100, 50],
  );
});

test("a failure reaches everybody who was read for, and nobody who comes later", async () => {
  const trouble = new Error("no database");
  const { db } = watched(trouble);
  const outcomes = await Promise.allSettled([table.get(db, newId()), table.get(db, newId())]);
  assert.deepEqual(
    outcomes.map((one) => one.status === "rejected" && one.reason === trouble),
    [true, true],
  );
  const [flint] = await stones("flint");
  assert.equal((await table.get(watched().db, flint!))?.name, "flint");
});

test("a transaction reads for itself, in its order", async () => {
  const [flint] = await stones("flint");
  const seen = await database.transaction(async (tx) => {
    const read = table.get(tx, flint!);
    const written = table.update(tx, flint!, { name: "changed" }, now);
    return [(await read)?.name, (await written)?.name];
  });
  assert.deepEqual(seen, ["flint", "changed"]);
});
