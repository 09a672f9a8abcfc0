import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { silentLogger, systemClock } from "../base/index.ts";
import { createTestDatabase } from "../testing/postgres.ts";
import { createDatabase, type Database, type DatabaseOptions } from "./database.ts";

let url: string;
let database: Database;

function open(options: Partial<DatabaseOptions> = {}): Database {
  return createDatabase({ url, log: silentLogger, clock: systemClock, ...options });
}

const unavailable = { name: "Failure", code: "UNAVAILABLE", status: 503 };

before(async () => {
  ({ url } = await createTestDatabase());
  database = open();
  await database.query("create table things (id int primary key, name text unique)");
});

after(() => database.close());

test("a statement answers with its rows and how many it changed", async () => {
  deepEqual(await database.query("select $1::int as a, $2::text as b", [1, "x"]), {
    rows: [{ a: 1, b: "x" }],
    rowCount: 1,
  });
  deepEqual(await database.query("insert into things values (1, 'a'), (2, 'b')"), { rows: [], rowCount: 2 });
});

test("statements sent together are each answered with their own result, and one's error is only its own", async () => {
  const numbers = Array.from({ length: 200 }, (_, index) => index);
  const answers = await Promise.allSettled(
    numbers.map((number) =>
      number === 50
        ? database.query("select 1 / 0")
        : database.query({ name: "echo", text: "select $1::int as number" }, [number]),
    ),
  );
  deepEqual(
    answers.map((answer) => (answer.status === "fulfilled" ? answer.value.rows[0]!.number : "failed")),
    numbers.map((number) => (number === 50 ? "failed" : number)),
  );
});

test("a session speaks UTC and ISO, has the limits and the name it was given, and the url may change the limits", async () => {
  const settings = `select current_setting('timezone') as zone, current_setting('statement_timeout') as statement,
    current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle,
    current_setting('application_name') as name, current_setting('work_mem') as memory`;
  const options = {
    applicationName: "orders of the store",
    statementTimeoutMs: 1_000,
    lockTimeoutMs: 2_000,
    idleInTransactionTimeoutMs: 3_000,
  };
  const named = open({
    ...options,
    url: `${url}?options=${encodeURIComponent("-c work_mem=5MB -c TimeZone=Asia/Tokyo -c lock_timeout=9s")}`,
  });
  try {
    const expected = {
      zone: "UTC",
      statement: "1s",
      lock: "9s",
      idle: "3s",
      name: "orders of the store",
      memory: "5MB",
    };
    deepEqual((await named.query(settings)).rows, [expected]);
    deepEqual(await named.transaction(async (tx) => (await tx.query(settings)).rows), [expected]);
  } finally {
    await named.close();
  }
});

test("a broken rule stays the driver's error", async () => {
  await rejects(database.query("insert into things values (3, 'c'), (4, 'c')"), {
    code: "23505",
    constraint: "things_name_key",
  });
});

test("a statement that takes longer than its limit is UNAVAILABLE with Retry-After", async () => {
  const hasty = open({ statementTimeoutMs: 50 });
  try {
    await rejects(hasty.query("select pg_sleep(10)"), { ...unavailable, headers: { "retry-after": "1" } });
    equal((await hasty.query("select 1 as one")).rows[0]!.one, 1);
  } finally {
    await hasty.close();
  }
});

test("when its connection is cut a statement is UNAVAILABLE, and the next one opens another", async () => {
  const one = open({ readers: 1 });
  try {
    const { rows } = await one.query("select pg_backend_pid() as pid");
    const cut = one.query("select pg_sleep(10)");
    await Promise.all([rejects(cut, unavailable), database.query("select pg_terminate_backend($1)", [rows[0]!.pid])]);
    notEqual((await one.query("select pg_backend_pid() as pid")).rows[0]!.pid, rows[0]!.pid);
  } finally {
    await one.close();
  }
});

test("idle connections that are cut are no event for the program; the next statements work", async () => {
  const idle = open({ readers: 1 });
  try {
    const { rows } = await idle.query("select pg_backend_pid() as pid");
    const inTransaction = await idle.transaction(async (tx) => (await tx.query("select pg_backend_pid() as pid")).rows);
    for (const { pid } of [...rows, ...inTransaction])
      await database.query("select pg_terminate_backend($1, 5000)", [pid]);
    // The first may still go out on the dead connection: it was cut a moment ago.
    await idle.query("select 1").catch((error: unknown) => ok((error as { code: string }).code === "UNAVAILABLE"));
    await idle
      .transaction((tx) => tx.query("select 1"))
      .catch((error: unknown) => ok((error as { code: string }).code === "UNAVAILABLE"));
    equal((await idle.query("select 1")).rowCount, 1);
    equal((await idle.transaction((tx) => tx.query("select 1"))).rowCount, 1);
  } finally {
    await idle.close();
  }
});

test("a database that is not there is UNAVAILABLE, to single statements, transactions and ping", async () => {
  const server = await listen();
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const nowhere = open({ url: `postgres://user:secret@127.0.0.1:${port}/nothing` });
  await rejects(nowhere.query("select 1"), unavailable);
  await rejects(
    nowhere.transaction((tx) => tx.query("select 1")),
    unavailable,
  );
  await rejects(nowhere.ping(), unavailable);
  const message = await nowhere.query("select 1").catch((error: Error) => error.message);
  equal(/127|secret|nothing|ECONN/.test(String(message)), false, "no host, name or password leaves");
  await nowhere.close();
});

test("a password that is wrong is UNAVAILABLE too, with the reason in the cause", async () => {
  const wrong = new URL(url);
  wrong.password = "wrong";
  const stranger = open({ url: wrong.href });
  const error = await stranger.query("select 1").catch((thrown: Error) => thrown);
  match(String((error as Error).cause), /password authentication failed/);
  equal((error as { code?: string }).code, "UNAVAILABLE");
  await stranger.close();
});

test("a server that accepts and then says nothing is given up after connectTimeoutMs", async () => {
  const mute = await listen();
  const { port } = mute.address() as { port: number };
  const waiting = open({
    url: `postgres://user:secret@127.0.0.1:${port}/mute`,
    connectTimeoutMs: 50,
    acquireTimeoutMs: 50,
  });
  await rejects(waiting.query("select 1"), unavailable);
  await rejects(
    waiting.transaction((tx) => tx.query("select 1")),
    unavailable,
  );
  await waiting.close();
  mute.close();
});

test("when every connection for transactions is taken, the next waits acquireTimeoutMs and is UNAVAILABLE", async () => {
  const small = open({ max: 1, acquireTimeoutMs: 500 });
  try {
    await small.transaction(async () => {
      await rejects(
        small.transaction((tx) => tx.query("select 1")),
        unavailable,
      );
      equal((await small.query("select 1")).rowCount, 1, "single statements have connections of their own");
    });
    equal((await small.transaction((tx) => tx.query("select 1"))).rowCount, 1);
  } finally {
    await small.close();
  }
});

test("a prepared statement outlives a migration that changes its table", async () => {
  await database.query("create table changing (a int)");
  await database.query("insert into changing values (1)");
  const statement = { name: "changing", text: "select * from changing" };
  const inTransaction = () => database.transaction(async (tx) => (await tx.query(statement)).rows);
  deepEqual((await database.query(statement)).rows, [{ a: 1 }]);
  deepEqual(await inTransaction(), [{ a: 1 }]);
  await database.query("alter table changing add column b int default 2");
  deepEqual((await database.query(statement)).rows, [{ a: 1, b: 2 }]);
  deepEqual(await inTransaction(), [{ a: 1, b: 2 }]);
});

test("one name for two texts is a mistake in the program and says so", async () => {
  const one = open({ readers: 1 });
  await one.query({ name: "twice", text: "select 1" });
  await rejects(one.query({ name: "twice", text: "select 2" }), /must be unique/);
  equal((await one.query({ name: "twice", text: "select 1" })).rowCount, 1);
  await one.close();
});

test("a closed database answers what was sent and refuses what comes after", async () => {
  const closing = open();
  await closing.query("select 1");
  const sent = closing.query("select 1 as one");
  await closing.close();
  await closing.close();
  equal((await sent).rowCount, 1);
  await rejects(closing.query("select 1"), unavailable);
  await rejects(
    closing.transaction((tx) => tx.query("select 1")),
    unavailable,
  );
});

test("ping measures a round trip", async () => {
  ok((await database.ping()) >= 0);
});

test("through a connection that stalls, a statement is given up and the connection with it", async () => {
  const target = new URL(url);
  let stalled = false;
  const sockets = new Set<Socket>();
  const proxy = await listen((client) => {
    const server = connect(Number(target.port), target.hostname);
    sockets.add(client).add(server);
    client
      .on("data", (chunk) => stalled || server.write(chunk))
      .on("error", () => {})
      .on("close", () => server.destroy());
    server
      .on("data", (chunk) => client.write(chunk))
      .on("error", () => {})
      .on("close", () => client.destroy());
  });
  const through = new URL(url);
  through.port = String((proxy.address() as { port: number }).port);
  const far = open({ url: through.href, readers: 1, statementTimeoutMs: 100, answerGraceMs: 100 });
  await far.query("select 1");
  stalled = true;
  await rejects(far.query("select 1"), unavailable);
  stalled = false;
  equal((await far.query("select 1")).rowCount, 1);
  await far.close();
  for (const socket of sockets) socket.destroy();
  proxy.close();
});

function listen(onConnection: (socket: Socket) => void = () => {}): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer(onConnection).unref();
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

test("a database that was warmed up has its connections before the first statement", async () => {
  const warm = open({ applicationName: "warmed up", readers: 2, max: 5 });
  await warm.warmUp();
  const { rows } = await database.query(
    "select count(*)::int as open from pg_stat_activity where application_name = $1",
    ["warmed up"],
  );
  deepEqual(rows, [{ open: 2 + 3 }]);
  await warm.close();
});

test("warming up where no database answers is refused, and breaks nothing: later statements try again", async () => {
  const nowhere = open({ url: "postgres://nobody@127.0.0.1:1/nothing" });
  await rejects(nowhere.warmUp(), unavailable);
  await rejects(nowhere.query("select 1"), unavailable);
  await nowhere.close();
});
