import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { connect, createServer, type AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { silentLogger, systemClock, type Logger } from "../base/index.ts";
import { conflict } from "../contract/index.ts";
import { createTestDatabase } from "../testing/postgres.ts";
import { createDatabase, type Database } from "./database.ts";
import { commitOutcomeUnknown, mapConstraint } from "./pg-errors.ts";
import type { Tx } from "./queryable.ts";

let url: string;
let database: Database;
let logged: string[] = [];
const log: Logger = { ...silentLogger, error: (_fields, message) => void logged.push(message) };

before(async () => {
  ({ url } = await createTestDatabase());
  database = createDatabase({ url, log, clock: systemClock });
  await database.query("create table things (id int primary key, count int not null default 0)");
});

beforeEach(async () => {
  await database.query("truncate things");
  logged = [];
});

after(() => database.close());

async function ids(): Promise<unknown[]> {
  return (await database.query("select id from things order by id")).rows.map(({ id }) => id);
}

test("what a transaction did is there when it returns, and its result is the function's", async () => {
  const result = await database.transaction(async (tx) => {
    await tx.query("insert into things (id) values (1)");
    deepEqual(await ids(), [], "and not before");
    return "done";
  });
  equal(result, "done");
  deepEqual(await ids(), [1]);
});

test("when the function throws nothing remains, and its error arrives as it is", async () => {
  const error = new Error("no");
  const failing = database.transaction(async (tx) => {
    await tx.query("insert into things (id) values (1)");
    throw error;
  });
  await rejects(failing, error);
  deepEqual(await ids(), []);
});

test("a violated constraint becomes the failure declared for it", async () => {
  const inserting = database.transaction(async (tx) => {
    await tx.query("insert into things (id) values (1)");
    await tx.query("insert into things (id) values (1)").catch((error: unknown) => {
      throw mapConstraint(error, { things_pkey: (cause) => conflict("This number is taken", { cause }) });
    });
  });
  await rejects(inserting, { code: "CONFLICT", message: "This number is taken" });
  deepEqual(await ids(), []);
});

test("statements sent without waiting run in order, and those in flight at the end belong to it", async () => {
  await database.transaction(async (tx) => {
    await tx.query("insert into things (id) values (1)");
    await Promise.all(
      ["count + 1", "count * 10", "count + 5"].map((next) => tx.query(`update things set count = ${next}`)),
    );
    void tx.query("insert into things (id) values (2)");
  });
  deepEqual((await database.query("select * from things order by id")).rows, [
    { id: 1, count: 15 },
    { id: 2, count: 0 },
  ]);
});

test("a failed statement whose error is swallowed fails the transaction, since nothing was saved", async () => {
  const swallowing = database.transaction(async (tx) => {
    await tx.query("insert into things (id) values (1)");
    await tx.query("select 1 / 0").catch(() => {});
    return "looks fine";
  });
  await rejects(swallowing, /rolled back/);
  deepEqual(await ids(), []);
});

test("a transaction that has ended refuses statements", async () => {
  let leaked: Parameters<Parameters<Database["transaction"]>[0]>[0] | undefined;
  await database.transaction(async (tx) => void (leaked = tx));
  await rejects(leaked!.query("insert into things (id) values (1)"), /has ended/);
  deepEqual(await ids(), []);
});

test("after a commit its callbacks run in order; one that throws is logged and hides nothing", async () => {
  const ran: number[] = [];
  const result = await database.transaction(async (tx) => {
    tx.afterCommit(() => void ran.push(1));
    tx.afterCommit(() => {
      throw new Error("no");
    });
    tx.afterCommit(() => void ran.push(2));
    await tx.query("insert into things (id) values (1)");
    deepEqual(ran, []);
    return "done";
  });
  deepEqual([result, ran, logged.length], ["done", [1, 2], 1]);
});

test("the last work before a commit belongs to the transaction, comes after all other, and may refuse the commit", async () => {
  const add = (id: number) => async (tx: Tx) => {
    tx.beforeCommit(() => tx.query("insert into things (id) select $1 + count(*) from things", [id]).then(() => {}));
    await tx.query("insert into things (id) values ($1)", [id]);
  };
  await database.transaction(add(1));
  deepEqual(await ids(), [1, 2]);
  const refused = database.transaction(async (tx) => {
    await add(10)(tx);
    tx.beforeCommit(() => Promise.reject(new Error("not this")));
  });
  await rejects(refused, /not this/);
  const failed = database.transaction(async (tx) => {
    tx.beforeCommit(async () => ok(false, "nothing is committed"));
    throw new Error("no");
  });
  await rejects(failed, /no/);
  deepEqual(await ids(), [1, 2]);
});

test("after a rollback no callback runs, nor after a refused commit", async () => {
  const ran: number[] = [];
  const failing = database.transaction(async (tx) => {
    tx.afterCommit(() => void ran.push(1));
    throw new Error("no");
  });
  await rejects(failing, /no/);
  await database.query("create table deferred (id int unique deferrable initially deferred)");
  const refused = database.transaction(async (tx) => {
    tx.afterCommit(() => void ran.push(2));
    await tx.query("insert into deferred values (1), (1)");
  });
  const error = await refused.catch((thrown: unknown) => thrown);
  equal((error as { constraint?: string }).constraint, "deferred_id_key");
  equal(commitOutcomeUnknown(error), false);
  deepEqual(ran, []);
});

test("of two transactions in deadlock the loser is run again, and both are saved", async () => {
  await database.query("insert into things (id) values (1), (2)");
  const bothHold = Promise.withResolvers<void>();
  let holding = 0;
  let runs = 0;
  const ran: string[] = [];
  const increase = (first: number, second: number) =>
    database.transaction(async (tx) => {
      runs++;
      tx.afterCommit(() => void ran.push(`${first}${second}`));
      await tx.query("update things set count = count + 1 where id = $1", [first]);
      if (++holding === 2) bothHold.resolve();
      await bothHold.promise;
      await tx.query("update things set count = count + 1 where id = $1", [second]);
    });
  await Promise.all([increase(1, 2), increase(2, 1)]);
  deepEqual((await database.query("select count from things order by id")).rows, [{ count: 2 }, { count: 2 }]);
  ok(runs > 2);
  deepEqual(ran.toSorted(), ["12", "21"], "callbacks of the run that lost are forgotten");
});

test("a transaction that loses again and again is UNAVAILABLE after four runs", async () => {
  let runs = 0;
  const losing = database.transaction(async (tx) => {
    runs++;
    await tx.query("do $$ begin raise exception 'lost' using errcode = '40001'; end $$");
  });
  await rejects(losing, { code: "UNAVAILABLE" });
  equal(runs, 4);
});

test("an aborted signal ends the running statement at once, gives its locks back and rejects with the reason", async () => {
  const controller = new AbortController();
  const reason = new Error("the deadline passed");
  const aborted = database.transaction(
    async (tx) => {
      await tx.query("insert into things (id) values (1)");
      await tx.query("lock table things in access exclusive mode");
      setImmediate(() => controller.abort(reason));
      await tx.query("select pg_sleep(60)");
    },
    { signal: controller.signal },
  );
  await rejects(aborted, reason);
  // Waits for the lock; lock_timeout would refuse it if the other session still had it.
  deepEqual(await ids(), []);
});

test("an aborted signal does not wait for a function that waits for something else, and its tx refuses", async () => {
  const controller = new AbortController();
  const elsewhere = Promise.withResolvers<void>();
  let late: Promise<unknown> | undefined;
  const aborted = database.transaction(
    async (tx) => {
      await tx.query("insert into things (id) values (1)");
      controller.abort(new Error("gone"));
      await elsewhere.promise;
      late = tx.query("insert into things (id) values (2)");
      await late;
    },
    { signal: controller.signal },
  );
  await rejects(aborted, /gone/);
  elsewhere.resolve();
  await elsewhere.promise;
  await rejects(async () => late, /has ended/);
  deepEqual(await ids(), []);
});

test("a signal that is aborted already runs nothing", async () => {
  let ran = false;
  const refused = database.transaction(async () => void (ran = true), {
    signal: AbortSignal.abort(new Error("too late")),
  });
  await rejects(refused, /too late/);
  equal(ran, false);
});

test("one who stops waiting for a connection takes none, and the pool stays whole", async () => {
  const small = createDatabase({ url, log, clock: systemClock, max: 1 });
  const controller = new AbortController();
  await small.transaction(async () => {
    const waiting = small.transaction((tx) => tx.query("select 1"), { signal: controller.signal });
    controller.abort(new Error("enough"));
    await rejects(waiting, /enough/);
  });
  for (let turn = 0; turn < 3; turn++) equal((await small.transaction((tx) => tx.query("select 1"))).rowCount, 1);
  await small.close();
});

test("a limit of its own holds for one transaction only", async () => {
  const limit = async (tx: { query: Database["query"] }) =>
    (await tx.query("show statement_timeout")).rows[0]!.statement_timeout;
  equal(await database.transaction(limit, { statementTimeoutMs: 1_234 }), "1234ms");
  equal(await database.transaction(limit, { statementTimeoutMs: 0 }), "0");
  equal(await database.transaction(limit), "10s");
});

test("a connection lost before COMMIT means not committed, and says so", async () => {
  const lost = database.transaction(async (tx) => {
    await tx.query("insert into things (id) values (1)");
    await tx.query("select pg_terminate_backend(pg_backend_pid())");
  });
  const error = await lost.catch((thrown: unknown) => thrown);
  equal((error as { code?: string }).code, "UNAVAILABLE");
  equal(commitOutcomeUnknown(error), false);
  deepEqual(await ids(), []);
});

for (const committed of [true, false]) {
  test(`a connection lost during COMMIT is marked as unknown, when the server ${committed ? "has" : "has not"} committed`, async () => {
    const proxy = await cutAtCommit(committed);
    const through = createDatabase({ url: proxy.url, log, clock: systemClock });
    const lost = through.transaction(async (tx) => {
      await tx.query("insert into things (id) values (1)");
      tx.afterCommit(() => ok(false, "nobody knows that it was committed"));
    });
    const error = await lost.catch((thrown: unknown) => thrown);
    equal((error as { code?: string }).code, "UNAVAILABLE");
    equal(commitOutcomeUnknown(error), true);
    await proxy.serverDone;
    deepEqual(await ids(), committed ? [1] : []);
    equal((await through.query("select 1")).rowCount, 1, "and the next statement has another connection");
    await through.close();
    proxy.close();
  });
}

/** A way to the server that is cut when COMMIT passes: behind it (its answer is lost) or before it. */
async function cutAtCommit(deliver: boolean): Promise<{ url: string; serverDone: Promise<void>; close(): void }> {
  const target = new URL(url);
  const serverDone = Promise.withResolvers<void>();
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    let cut = false;
    client.on("data", (chunk) => {
      const isCommit = chunk.includes("commit\0");
      if (!isCommit || deliver) server.write(chunk);
      if (!isCommit) return;
      cut = true;
      if (!deliver) server.destroy();
    });
    server.on("data", (chunk) => (cut ? client.destroy() : client.write(chunk)));
    server.on("close", () => {
      client.destroy();
      if (cut) serverDone.resolve();
    });
    for (const socket of [client, server]) socket.on("error", () => {});
    client.on("close", () => server.end());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const through = new URL(url);
  through.port = String((proxy.address() as AddressInfo).port);
  return { url: through.href, serverDone: serverDone.promise, close: () => proxy.close() };
}

test("an error of the function is never mistaken for one of the database, whatever it says", async () => {
  const error = new Error("timeout expired, Connection terminated");
  await rejects(
    database.transaction(async () => {
      throw error;
    }),
    error,
  );
});

test("a value that cannot be sent is the caller's mistake, and the connection stays good", async () => {
  const small = createDatabase({ url, log, clock: systemClock, max: 1, readers: 1 });
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const pid = async (tx: { query: Database["query"] }) =>
    (await tx.query("select pg_backend_pid() as pid")).rows[0]!.pid;
  const [reader, writer] = [await pid(small), await small.transaction(pid)];
  await rejects(small.query("select $1::jsonb", [circular]), /circular/i);
  await rejects(
    small.transaction((tx) => tx.query("select $1::jsonb", [circular])),
    /circular/i,
  );
  deepEqual([await pid(small), await small.transaction(pid)], [reader, writer]);
  await small.close();
});
