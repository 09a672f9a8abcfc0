import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { createManualClock, silentLogger, systemClock } from "../base/index.ts";
import { createTestDatabase } from "../testing/postgres.ts";
import { createDatabase, type Database } from "./database.ts";
import { commitOutcomeUnknown } from "./pg-errors.ts";
import type { Tx } from "./queryable.ts";
import { createTogether, type Part, type TogetherOptions } from "./together.ts";

let database: Database;

before(async () => {
  const { url } = await createTestDatabase();
  database = createDatabase({ url, log: silentLogger, clock: systemClock });
  await database.query("create table things (id int primary key, transaction bigint)");
});

beforeEach(() => database.query("truncate things").then(() => {}));
after(() => database.close());

async function insertAll(tx: Tx, numbers: readonly number[]): Promise<Part<number>[]> {
  await tx.query(
    "insert into things (id, transaction) select id, pg_current_xact_id()::text::bigint from unnest($1::int[]) as t (id)",
    [numbers],
  );
  return numbers.map((value) => ({ value }));
}

function createInsert(more: Partial<TogetherOptions<number, number>> = {}) {
  const groups: number[][] = [];
  const { run = insertAll, ...rest } = more;
  const insert = createTogether<number, number>({
    database,
    clock: systemClock,
    ...rest,
    run(tx, numbers) {
      groups.push([...numbers]);
      return run(tx, numbers);
    },
  });
  return { insert: (number: number, signal?: AbortSignal) => insert(number, signal), groups };
}

async function rows(): Promise<{ id: number; transaction: number }[]> {
  return (await database.query<{ id: number; transaction: number }>("select * from things order by id")).rows;
}

const idsOf = async () => (await rows()).map(({ id }) => id);
const transactions = async () => new Set((await rows()).map(({ transaction }) => transaction)).size;

test("those of one turn are one transaction, and each gets its own answer when that is committed", async () => {
  const { insert } = createInsert();
  const answers = await Promise.all([3, 1, 2].map(async (number) => [await insert(number), await idsOf()]));
  deepEqual(
    answers,
    [3, 1, 2].map((number) => [number, [1, 2, 3]]),
  );
  equal(await transactions(), 1);
});

test("those that come while others are under way go together when those are done, in groups of a bounded size", async () => {
  const started = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const { insert, groups } = createInsert({
    clock: createManualClock(),
    sizeMax: 3,
    groupsMax: 1,
    async run(tx, numbers) {
      started.resolve();
      if (numbers.includes(1)) await gate.promise;
      return insertAll(tx, numbers);
    },
  });
  const first = insert(1);
  await started.promise;
  const others = [2, 3, 4, 5].map((number) => insert(number));
  gate.resolve();
  await Promise.all([first, ...others]);
  deepEqual(groups, [[1], [2, 3, 4], [5]]);
});

test("a group that is held up holds up the next one for a moment only", async () => {
  const clock = createManualClock();
  const started = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const { insert } = createInsert({
    clock,
    patienceMs: 20,
    async run(tx, numbers) {
      started.resolve();
      if (numbers.includes(1)) await gate.promise;
      return insertAll(tx, numbers);
    },
  });
  const first = insert(1);
  await started.promise;
  const second = insert(2);
  await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(20);
  equal(await second, 2);
  deepEqual(await idsOf(), [2]);
  gate.resolve();
  await first;
});

test("one that is refused leaves the others as they are, in the same transaction", async () => {
  const refusal = new Error("not an odd one");
  const { insert, groups } = createInsert({
    async run(tx, numbers) {
      await insertAll(
        tx,
        numbers.filter((number) => number % 2 === 0),
      );
      return numbers.map((value) => (value % 2 === 0 ? { value } : { refused: refusal }));
    },
  });
  const odd = rejects(insert(1), refusal);
  deepEqual(await Promise.all([insert(2), insert(4)]), [2, 4]);
  await odd;
  deepEqual([await idsOf(), groups.length, await transactions()], [[2, 4], 1, 1]);
});

test("one that fails takes nobody along: all is rolled back, and each runs again alone", async () => {
  await database.query("insert into things (id) values (2)");
  const { insert, groups } = createInsert();
  const taken = rejects(insert(2), { constraint: "things_pkey" });
  deepEqual(await Promise.all([insert(1), insert(3)]), [1, 3]);
  await taken;
  deepEqual(await idsOf(), [1, 2, 3]);
  deepEqual(
    [groups[0], groups.slice(1).toSorted()],
    [
      [2, 1, 3],
      [[1], [2], [3]],
    ],
  );
});

test("a rule that is broken at the commit only fails the one who broke it", async () => {
  await database.query("create table lasts (id int unique deferrable initially deferred)");
  await database.query("insert into lasts values (2)");
  const { insert } = createInsert({
    async run(tx, numbers) {
      await tx.query("insert into lasts select unnest($1::int[])", [numbers]);
      return numbers.map((value) => ({ value }));
    },
  });
  const broken = rejects(insert(2), { constraint: "lasts_id_key" });
  deepEqual(await Promise.all([insert(1), insert(3)]), [1, 3]);
  await broken;
  equal((await database.query("select from lasts")).rowCount, 3);
});

test("one who gives up gets its reason at once and leaves nothing behind; the others are not held to it", async () => {
  const controller = new AbortController();
  const reason = new Error("the deadline passed");
  const { insert, groups } = createInsert({
    async run(tx, numbers) {
      const parts = await insertAll(tx, numbers);
      if (numbers.length > 1) controller.abort(reason);
      return parts;
    },
  });
  const aborted = rejects(insert(1, controller.signal), reason);
  deepEqual(await Promise.all([insert(2, new AbortController().signal), insert(3)]), [2, 3]);
  await aborted;
  deepEqual(await idsOf(), [2, 3]);
  deepEqual(
    [groups[0], groups.slice(1).toSorted()],
    [
      [1, 2, 3],
      [[2], [3]],
    ],
  );
});

test("who gives up while waiting for a group is in none, and a signal that is aborted already joins none", async () => {
  const { insert, groups } = createInsert();
  const controller = new AbortController();
  const aborted = rejects(insert(1, controller.signal), /enough/);
  controller.abort(new Error("enough"));
  equal(await insert(2), 2);
  await aborted;
  await rejects(insert(3, AbortSignal.abort(new Error("too late"))), /too late/);
  deepEqual([await idsOf(), groups], [[2], [[2]]]);
});

test("when nobody waits any more the running statement is ended and the locks are given back", async () => {
  const controllers = [new AbortController(), new AbortController()];
  const { insert } = createInsert({
    async run(tx, numbers) {
      await insertAll(tx, numbers);
      await tx.query("lock table things in access exclusive mode");
      setImmediate(() => controllers.forEach((one) => one.abort(new Error("gone"))));
      await tx.query("select pg_sleep(60)");
      return [];
    },
  });
  await Promise.all(controllers.map(({ signal }, number) => rejects(insert(number, signal), /gone/)));
  // Waits for the lock; lock_timeout would refuse it if the other session still had it.
  deepEqual(await idsOf(), []);
});

test("a connection lost before the commit fails nobody: each runs again alone, on another connection", async () => {
  const { insert } = createInsert({
    async run(tx, numbers) {
      const parts = await insertAll(tx, numbers);
      if (numbers.length > 1) await tx.query("select pg_terminate_backend(pg_backend_pid())");
      return parts;
    },
  });
  deepEqual(await Promise.all([insert(1), insert(2)]), [1, 2]);
  deepEqual(await idsOf(), [1, 2]);
});

test("a commit whose outcome is unknown is so for each of them, and is not repeated", async () => {
  let runs = 0;
  const { insert } = createInsert({
    async run(tx, numbers) {
      runs++;
      const parts = await insertAll(tx, numbers);
      // Ends the session when COMMIT asks for this check.
      await tx.query(
        "create or replace function pg_temp.die() returns trigger language plpgsql as $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$",
      );
      await tx.query(
        "create constraint trigger dies after insert on things deferrable initially deferred for each row execute function pg_temp.die()",
      );
      await tx.query("insert into things (id) values (9)");
      return parts;
    },
  });
  const lost = await Promise.all([1, 2].map((number) => insert(number).catch((error: unknown) => error)));
  deepEqual(lost.map(commitOutcomeUnknown), [true, true]);
  equal(runs, 1);
  deepEqual(await idsOf(), []);
});

test("a database that cannot be reached is asked once for all of them", async () => {
  let asked = 0;
  const down = createDatabase({ url: "postgres://nobody@127.0.0.1:1/none", log: silentLogger, clock: systemClock });
  const { insert, groups } = createInsert({
    database: {
      transaction: (...given) => {
        asked++;
        return down.transaction(...given);
      },
    },
  });
  await Promise.all([1, 2, 3].map((number) => rejects(insert(number), { code: "UNAVAILABLE" })));
  deepEqual([asked, groups], [1, []]);
  await down.close();
});

test("of groups in deadlock the loser runs again, and all is saved once", async () => {
  await database.query("create table counters (id int primary key, count int not null)");
  await database.query("insert into counters values (1, 0), (2, 0)");
  const bothHold = Promise.withResolvers<void>();
  let holding = 0;
  const increase = (first: number, second: number) =>
    createTogether<number, number>({
      database,
      clock: systemClock,
      async run(tx, numbers) {
        const add = (id: number) =>
          tx.query("update counters set count = count + $2 where id = $1", [id, numbers.length]);
        await add(first);
        if (++holding === 2) bothHold.resolve();
        await bothHold.promise;
        await add(second);
        return numbers.map((value) => ({ value }));
      },
    });
  const [one, other] = [increase(1, 2), increase(2, 1)];
  await Promise.all([one(1, undefined), one(2, undefined), other(3, undefined), other(4, undefined)]);
  ok(holding > 2);
  deepEqual((await database.query("select count from counters")).rows, [{ count: 4 }, { count: 4 }]);
});
