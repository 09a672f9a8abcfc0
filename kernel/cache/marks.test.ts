import { deepEqual, equal, rejects } from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { type ManualClock, createManualClock, silentLogger, systemClock } from "../base/index.ts";
import { createDatabase, type Database, type Tx } from "../data/index.ts";
import { createTestDatabase } from "../testing/postgres.ts";
import { type Cache, createCache, type Entry } from "./cache.ts";
import { cacheMigrations } from "./index.ts";
import { pruneMarks, readMarks, writeMark } from "./marks.ts";
import { createMemoryCache } from "./memory.ts";

let url: string;
let database: Database;

before(async () => {
  ({ url } = await createTestDatabase({ migrations: [cacheMigrations] }));
  database = createDatabase({ url, log: silentLogger, clock: systemClock });
  await database.query("create table notes (id int primary key, text text not null)");
});
beforeEach(() => database.query("truncate notes; insert into notes values (1, 'one'); delete from ashlar.cache_marks"));
after(() => database.close());

/** A process: its own memory and clock, over the one database. */
function startProcess(startMs?: number): { cache: Cache; clock: ManualClock; read: () => Promise<unknown> } {
  const clock = createManualClock(startMs);
  const entries = createMemoryCache<Entry>({ clock, maxEntries: 100 });
  const cache = createCache({ name: "notes", db: database, entries, clock });
  const load = async () => (await database.query("select text from notes where id = 1")).rows[0]?.text;
  return { cache, clock, read: () => cache.cached("1", { tags: ["note 1"], ttlMs: 3_600_000 }, load) };
}

const write = (cache: Cache, text: string, before?: (tx: Tx) => Promise<unknown>) =>
  database.transaction(async (tx) => {
    await tx.query("update notes set text = $1 where id = 1", [text]);
    cache.invalidate(tx, ["note 1"]);
    await before?.(tx);
  });

test("an update is seen at once where it was made, and elsewhere within a second, however the clocks are set", async () => {
  const here = startProcess();
  const there = startProcess(Date.UTC(2026, 0, 1, 0, 5));
  deepEqual(await Promise.all([here.read(), there.read()]), ["one", "one"]);
  await write(here.cache, "two");
  equal(await here.read(), "two");
  equal(await there.read(), "one", "the other has looked a moment ago");
  await there.clock.advance(999);
  await there.read();
  await there.clock.advance(1);
  equal(await there.read(), "two");
});

test("a transaction that began early and commits late is not missed", async () => {
  const [here, there] = [startProcess(), startProcess()];
  await there.read();
  await write(here.cache, "late", async () => {
    // Meanwhile others begin, commit, and are learned of.
    await database.transaction(async (tx) => here.cache.invalidate(tx, ["note 2"]));
    await there.cache.look();
    equal(await there.read(), "one");
  });
  await there.cache.look();
  equal(await there.read(), "late");
});

test("a rollback leaves no mark, and neither does a transaction that is run again", async () => {
  const { cache, read } = startProcess();
  await read();
  await rejects(
    write(cache, "never", () => Promise.reject(new Error("no"))),
    /no/,
  );
  let runs = 0;
  await write(cache, "two", async (tx) => {
    if (++runs === 1) await tx.query("do $$ begin raise exception 'lost' using errcode = '40001'; end $$");
  });
  equal(runs, 2);
  equal((await database.query("select 1 from ashlar.cache_marks")).rowCount, 1);
  equal(await read(), "two");
});

/** A transaction of another database of the server, such as that of a test beside this one, counts as well. */
async function everythingBeforeIsOver(): Promise<void> {
  const over = "select bool_and(xid < pg_snapshot_xmin(pg_current_snapshot())) as over from ashlar.cache_marks";
  while ((await database.query(over)).rows[0]!.over !== true);
}

test("marks are deleted when they were settled at the pruning before the last, by the clock of the database", async () => {
  const marks = async () => (await database.query("select tags from ashlar.cache_marks")).rows.map(({ tags }) => tags);
  await database.query("update ashlar.cache_horizon set moved_at = now() - interval '1 hour'");
  await database.transaction((tx) => writeMark(tx, ["early"]));
  await everythingBeforeIsOver();
  await pruneMarks(database, 60_000);
  deepEqual(await marks(), [["early"]]);
  await pruneMarks(database, 60_000);
  deepEqual(await marks(), [["early"]], "it is not a minute since the last");
  await database.transaction((tx) => writeMark(tx, ["later"]));
  await database.query("update ashlar.cache_horizon set moved_at = now() - interval '61 seconds'");
  deepEqual(
    await Promise.all([pruneMarks(database, 60_000), pruneMarks(database, 60_000)]).then((all) => all.toSorted()),
    [0, 1],
  );
  deepEqual(await marks(), [["later"]]);
});

test("who did not look until marks were gone forgets everything, and who did forgets nothing", async () => {
  const [here, idle, busy] = [startProcess(), startProcess(), startProcess()];
  await Promise.all([idle.read(), busy.read()]);
  await write(here.cache, "two");
  await everythingBeforeIsOver();
  for (let pruning = 0; pruning < 2; pruning++) {
    await database.query("update ashlar.cache_horizon set moved_at = now() - interval '1 hour'");
    await pruneMarks(database, 60_000);
    await busy.cache.look();
    equal(await busy.read(), "two");
  }
  equal((await database.query("select 1 from ashlar.cache_marks")).rowCount, 0);
  await database.query("update notes set text = 'by hand' where id = 1");
  await idle.cache.look();
  await busy.cache.look();
  deepEqual([await idle.read(), await busy.read()], ["by hand", "two"]);
});

test("marks of a database that was restored from a dump lie ahead of all transactions, and are cleared away", async () => {
  await database.query("insert into ashlar.cache_marks values ('900000000000', '{old}')");
  await database.query("update ashlar.cache_horizon set moved_at = now() - interval '1 hour'");
  equal(await pruneMarks(database, 60_000), 1);
});

test("more marks than anybody wants to read are not read", async () => {
  await database.query(
    "insert into ashlar.cache_marks select (pg_current_xact_id()::text::bigint + n)::text::xid8, '{x}' from generate_series(0, 30000) as n",
  );
  equal((await readMarks(database, undefined)).marks, undefined);
  const { cache, read } = startProcess();
  await read();
  await database.query("update notes set text = 'by hand' where id = 1");
  await cache.look();
  equal(await read(), "by hand");
});
