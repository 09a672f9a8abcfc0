import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { encodeId, silentLogger, systemClock, timestamp, uuidv7, systemRandom } from "../base/index.ts";
import { resource, text } from "../contract/index.ts";
import { createTestDatabase } from "../testing/index.ts";
import { createDatabase, type Database } from "./database.ts";
import type { Cancellable, Queryable } from "./queryable.ts";
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

/** What one of many is given: the database behind it is shared, its time is its own. */
function oneOfMany(shared: Cancellable) {
  const own = new AbortController();
  const onAbort = (run: (reason: unknown) => void) => {
    own.signal.addEventListener("abort", () => run(own.signal.reason));
    return () => {};
  };
  return { db: { query: shared.query, shared: { db: shared, onAbort } }, over: (reason: Error) => own.abort(reason) };
}

test("reads of many who share a database are one statement, and who leaves takes nothing from the others", async () => {
  const [flint, slate] = await stones("flint", "slate");
  const { db: shared, sent } = watched();
  const [one, other, third] = [oneOfMany(shared), oneOfMany(shared), oneOfMany(shared)];
  const left = assert.rejects(table.get(one.db, flint!), /went away/);
  const read = Promise.all([table.get(other.db, flint!), table.get(third.db, slate!)]);
  one.over(new Error("went away"));
  await left;
  assert.deepEqual(
    (await read).map((row) => row?.name),
    ["flint", "slate"],
  );
  assert.equal(sent.length, 1);
});

test("when all who wait have left, the statement is cancelled; who asks later has one of their own", async () => {
  const [flint] = await stones("flint");
  const locked = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const holding = database.transaction(async (tx) => {
    await tx.query("lock table stones in access exclusive mode");
    held.resolve();
    await locked.promise;
  });
  await held.promise;
  const [one, other] = [oneOfMany(database), oneOfMany(database)];
  const left = [one, other].map(({ db }) => assert.rejects(table.get(db, flint!), /went away/));
  const waiting =
    "select count(*)::int as count from pg_stat_activity where wait_event_type = 'Lock' and query like '%stones%'";
  const count = async () => (await database.query<{ count: number }>(waiting)).rows[0]!.count;
  while ((await count()) === 0);
  one.over(new Error("went away"));
  other.over(new Error("went away"));
  await Promise.all(left);
  while ((await count()) > 0);
  const later = table.get(oneOfMany(database).db, flint!);
  locked.resolve();
  await holding;
  assert.equal((await later)?.name, "flint");
});

test("who leaves before anything was sent spoils nothing for who asks in the same turn", async () => {
  const [flint] = await stones("flint");
  const { db: shared, sent } = watched();
  const [one, other] = [oneOfMany(shared), oneOfMany(shared)];
  const left = assert.rejects(table.get(one.db, flint!), /went away/);
  // It is read when its id was decoded.
  await Promise.resolve();
  one.over(new Error("went away"));
  const row = await table.get(other.db, flint!);
  await left;
  assert.deepEqual([row?.name, sent.length], ["flint", 1]);
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
