import { deepEqual, equal, rejects } from "node:assert/strict";
import { after, test } from "node:test";
import { createManualClock, silentLogger, systemClock } from "../base/index.ts";
import { moving } from "../testing/moving.ts";
import { createTestDatabase } from "../testing/postgres.ts";
import { createDatabase } from "./database.ts";

const { url } = await createTestDatabase();
const clock = createManualClock();
// One connection, so that everything waits behind everything.
const database = createDatabase({ url, log: silentLogger, clock, readers: 1, statementTimeoutMs: 0 });
const watching = createDatabase({ url, log: silentLogger, clock: systemClock, applicationName: "watching" });
after(() => Promise.all([database.close(), watching.close()]));

async function running(): Promise<number> {
  const { rows } = await watching.query<{ count: number }>(
    "select count(*)::int as count from pg_stat_activity where state = 'active' and query like 'select pg_sleep%' and application_name = 'ashlar'",
  );
  return rows[0]!.count;
}

async function until(count: number): Promise<void> {
  while ((await running()) !== count) await clock.advance(1);
}

const sleep = (signal?: AbortSignal) => database.query("select pg_sleep(3600)", undefined, signal && { signal });

test("a statement that nobody waits for ends at once for its caller, in a moment for the server, and hurts nobody", async () => {
  const gone = new AbortController();
  const slow = rejects(sleep(gone.signal), /gone/);
  const behind = Array.from({ length: 20 }, (_, number) => database.query("select $1::int as number", [number]));
  await until(1);
  gone.abort(new Error("gone"));
  await slow;
  await until(0);
  deepEqual(
    (await moving(clock, Promise.all(behind))).map(({ rows }) => rows[0]!.number),
    Array.from({ length: 20 }, (_, number) => number),
  );
});

test("one that waits for its turn is cancelled when it has come, and the one before it is not", async () => {
  const gone = new AbortController();
  const first = database.query("select pg_sleep(0.3), 1 as answer");
  const second = rejects(sleep(gone.signal), /gone/);
  const third = database.query("select 3 as answer");
  await until(1);
  gone.abort(new Error("gone"));
  await second;
  await clock.advance(100);
  equal((await first).rows[0]!.answer, 1);
  // A request to cancel may be lost between two statements; it is made again.
  equal((await moving(clock, third)).rows[0]!.answer, 3);
  await until(0);
});

test("of many that are given up at once each is cancelled, and what is asked meanwhile is answered", async () => {
  const gone = new AbortController();
  const slow = Array.from({ length: 5 }, () => rejects(sleep(gone.signal), /gone/));
  // On how many connections they are depends on how many are open by then.
  while ((await running()) === 0) await clock.advance(1);
  gone.abort(new Error("gone"));
  const meanwhile = Array.from({ length: 20 }, (_, number) => database.query("select $1::int as number", [number]));
  await Promise.all(slow);
  const answered = Promise.all(meanwhile);
  await until(0);
  equal((await moving(clock, answered)).length, 20);
});

test("a signal that is aborted already sends nothing, and one that aborts after the answer costs no connection", async () => {
  await rejects(sleep(AbortSignal.abort(new Error("gone"))), /gone/);
  const backend = async (signal: AbortSignal) =>
    (await database.query("select pg_backend_pid() as pid", [], { signal })).rows[0]!.pid;
  const gone = new AbortController();
  const pid = await backend(gone.signal);
  gone.abort(new Error("gone"));
  await clock.advance(1_000);
  equal(await backend(new AbortController().signal), pid);
});
