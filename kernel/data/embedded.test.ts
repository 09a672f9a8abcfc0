import { deepEqual, equal, match, notEqual, rejects } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import pg from "pg";
import { silentLogger, systemClock, systemRandom, type Clock } from "../base/index.ts";
import { createDatabase } from "./database.ts";
import { attachEmbeddedPostgres, startEmbeddedPostgres, type EmbeddedPostgres } from "./embedded.ts";

let root: string;
let directory: string;
const running = new Set<EmbeddedPostgres>();

before(async () => {
  // A folder that only we can enter, as /root is: started by root, the server must get there all the same.
  root = await mkdtemp(join(tmpdir(), "ashlar-embedded-"));
  directory = join(root, "shop", ".ashlar");
});

afterEach(async () => {
  for (const server of running) await server.stop();
  running.clear();
});

after(() => rm(root, { recursive: true, force: true }));

async function start(clock: Clock = systemClock, in_ = directory): Promise<EmbeddedPostgres> {
  const databases = [{ name: "users" }, { name: "orders" }];
  const server = await startEmbeddedPostgres({
    directory: in_,
    databases,
    log: silentLogger,
    clock,
    random: systemRandom,
    durable: false,
  });
  running.add(server);
  return server;
}

/** A program that starts the cluster and then waits to be killed. */
const programs = new Set<ReturnType<typeof spawn>>();
after(() => {
  for (const program of programs) program.kill("SIGKILL");
});

async function startProgram(): Promise<{ serverPid: number; kill(): Promise<void> }> {
  const script = `
    import { silentLogger, systemClock, systemRandom } from "${new URL("../base/index.ts", import.meta.url).href}";
    import { startEmbeddedPostgres } from "${new URL("./embedded.ts", import.meta.url).href}";
    const server = await startEmbeddedPostgres({ directory: ${JSON.stringify(directory)}, databases: [{ name: "users" }],
      log: silentLogger, clock: systemClock, random: systemRandom, durable: false });
    // Not console.log, which colours numbers when the test runner has a terminal.
    process.stdout.write(String(server.pid));
    setInterval(() => {}, 60_000);`;
  const program = spawn(process.execPath, ["--input-type=module-typescript", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  // A test that fails half-way must not leave a program that keeps this one waiting.
  programs.add(program);
  const [line] = (await once(program.stdout, "data")) as [Buffer];
  return {
    serverPid: Number(line.toString()),
    async kill() {
      program.kill("SIGKILL");
      await once(program, "exit");
    },
  };
}

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return Object.values((await client.query(sql)).rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

test("the first start makes a cluster; later ones find the same data and passwords", async () => {
  const first = await start();
  await ask(first.urlOf("users"), "create table kept as select 42 as answer");
  await first.stop();
  await first.stop();
  equal(await attachEmbeddedPostgres(directory), undefined);
  const second = await start();
  equal(await ask(first.urlOf("users"), "select answer from kept"), 42, "even the port is the same while it is free");
  equal(second.urlOf("users"), first.urlOf("users"));
});

test("S11 a role owns its database, may make schemas and extensions in it, and can enter no other", async () => {
  const server = await start();
  await ask(server.urlOf("users"), "create schema ashlar");
  await ask(server.urlOf("users"), "create extension citext");
  for (const other of ["orders", "postgres", "template1"]) {
    const url = new URL(server.urlOf("users"));
    url.pathname = `/${other}`;
    await rejects(ask(url.href, "select 1"), /permission denied for database/);
  }
  equal(
    await ask(
      server.urlOf("users"),
      "select rolsuper or rolcreatedb or rolcreaterole from pg_roles where rolname = current_user",
    ),
    false,
  );
});

test("S11 nobody comes in with a wrong password, and the passwords are for the owner's eyes", async () => {
  const server = await start();
  const url = new URL(server.adminUrl);
  url.password = "";
  await rejects(ask(url.href, "select 1"));
  url.password = "guess";
  await rejects(ask(url.href, "select 1"), /password authentication failed/);
  for (const file of ["postgres.json", "postgres.log"]) equal((await stat(join(directory, file))).mode & 0o777, 0o600);
  equal((await stat(join(directory, "postgres"))).mode & 0o777, 0o700);
});

test("text is UTF-8, ordered by code point, and folds the case of every script", async () => {
  const { urlOf } = await start();
  equal(
    await ask(urlOf("users"), "select string_agg(x, '' order by x) from unnest(array['b', 'é', 'B', 'a']) as x"),
    "Babé",
  );
  equal(await ask(urlOf("users"), "select lower('ÄÉЖ')"), "äéж");
});

test("a second program on the same folder is refused, with the folder's name and what to do", async () => {
  await start();
  await rejects(start(hasty()), (error: Error) => {
    match(
      error.message,
      /Another program \(ashlar, process \d+\) is using the data folder .*\.ashlar\. .*ASHLAR_DATA.*_DATABASE_URL/s,
    );
    equal(error.message.includes(directory), true);
    return true;
  });
});

test("after a crash inside the server the folder is held again, and a second program is still refused", async () => {
  const { adminUrl } = await start();
  const admin = () => new pg.Client({ connectionString: adminUrl }).on("error", () => {});
  const victim = admin();
  await victim.connect();
  const { rows } = await victim.query<{ pid: number }>("select pg_backend_pid() as pid");
  process.kill(rows[0]!.pid, "SIGKILL");
  await eventually(async () => {
    const looking = admin();
    await looking.connect();
    const { rowCount } = await looking.query("select from pg_locks where locktype = 'advisory' and granted");
    await looking.end();
    return rowCount === 1;
  });
  await rejects(start(hasty()), /Another program/);
});

test("a server that was killed under a long statement, which lives on for a while, is back at its port", async () => {
  const server = await start();
  const busy = new pg.Client({ connectionString: server.urlOf("users") });
  busy.on("error", () => {});
  await busy.connect();
  // It computes, and looks up neither to its client nor to its server before it is done.
  const statement = busy.query("select sum(n) from generate_series(1, 10000000) as n").catch(() => {});
  await eventually(async () => (await ask(server.adminUrl, longStatements)) === 1);
  const killed = server.pid;
  process.kill(killed, "SIGKILL");
  await eventually(async () => server.pid !== killed);
  equal(await ask(server.urlOf("users"), "select answer from kept"), 42);
  await statement;
});

const longStatements =
  "select count(*)::int from pg_stat_activity where query like '%generate_series%' and pid <> pg_backend_pid()";

test("a server that was killed waits for its port, which somebody has for a while, and takes no other", async () => {
  const server = await start();
  const killed = server.pid;
  process.kill(killed, "SIGKILL");
  const somebody = await takePort(Number(new URL(server.adminUrl).port));
  const refused = async () =>
    (await readFile(join(directory, "postgres.log"), "utf8")).includes("Address already in use");
  await eventually(refused);
  await somebody.leave();
  await eventually(async () => server.pid !== killed);
  equal(await ask(server.urlOf("users"), "select answer from kept"), 42);
});

/** As soon as it is free; whoever connects hears nothing. */
async function takePort(port: number): Promise<{ leave(): Promise<void> }> {
  const callers = new Set<Socket>();
  for (;;) {
    const server = createServer((caller) => void callers.add(caller.on("error", () => {})));
    const taken = await new Promise((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!taken) continue;
    return {
      leave: () =>
        new Promise((closed) => {
          server.close(() => closed());
          for (const caller of callers) caller.destroy();
        }),
    };
  }
}

/** Recovery is PostgreSQL's own business, on its own clock. */
async function eventually(check: () => Promise<boolean>): Promise<void> {
  for (let round = 0; !(await check().catch(() => false)); round++) {
    if (round === 1_000) throw new Error("It did not come about");
    await systemClock.sleep(20);
  }
}

test("a tool can attach to the cluster that runs", async () => {
  const server = await start();
  const attached = await attachEmbeddedPostgres(directory);
  equal(attached?.urlOf("orders"), server.urlOf("orders"));
  equal(attached?.adminUrl, server.adminUrl);
  equal(await attachEmbeddedPostgres(join(root, "elsewhere")), undefined);
});

test("a server whose program was killed is taken over, with its data", async () => {
  const program = await startProgram();
  await program.kill();
  const server = await start();
  equal(server.pid, program.serverPid);
  equal(await ask(server.urlOf("users"), "select answer from kept"), 42);
  await server.stop();
  equal(await attachEmbeddedPostgres(directory), undefined, "and it stops like any other");
});

test("after the server was killed too, the next one recovers the data", async () => {
  const program = await startProgram();
  process.kill(program.serverPid, "SIGKILL");
  await program.kill();
  const server = await start();
  notEqual(server.pid, program.serverPid);
  equal(await ask(server.urlOf("users"), "select answer from kept"), 42);
});

test("a record whose pid belongs to a stranger by now keeps nobody from starting", async () => {
  const record = join(directory, "postgres", "postmaster.pid");
  await writeFile(record, `${process.pid}\n/elsewhere\n0\n5432\n\n127.0.0.1\n\nready\n`);
  equal(await attachEmbeddedPostgres(directory), undefined);
  equal(await ask((await start()).urlOf("users"), "select answer from kept"), 42);
});

test("Ctrl-C at the terminal does not reach the server", { skip: platform() !== "linux" }, async () => {
  const { pid } = await start();
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]!.split(" ");
  equal(Number(fields[2]), pid, "it leads a process group of its own");
});

test("a database that is used while the server is stopped and started works again by itself", async () => {
  const first = await start();
  const database = createDatabase({ url: first.urlOf("users"), log: silentLogger, clock: systemClock });
  const inTransaction = () => database.transaction(async (tx) => (await tx.query("select answer from kept")).rows);
  deepEqual(await inTransaction(), [{ answer: 42 }]);
  deepEqual((await database.query("select answer from kept")).rows, [{ answer: 42 }]);
  await first.stop();
  await rejects(database.query("select answer from kept"), { code: "UNAVAILABLE" });
  await rejects(inTransaction(), { code: "UNAVAILABLE" });
  await start();
  deepEqual(await inTransaction(), [{ answer: 42 }]);
  deepEqual((await database.query("select answer from kept")).rows, [{ answer: 42 }]);
  await database.close();
});

test("when the server does not start the error has its last lines", async () => {
  const settings = join(directory, "postgres", "postgresql.conf");
  const before = await readFile(settings);
  await appendFile(settings, "\nwork_mem = lots\n");
  await rejects(start(), /did not start.*_DATABASE_URL.*invalid value for parameter "work_mem"/s);
  await writeFile(settings, before);
});

test("lost passwords and another PostgreSQL's data are refused, with what to do", async () => {
  const [secrets, version] = [join(directory, "postgres.json"), join(directory, "postgres", "PG_VERSION")];
  await rename(secrets, `${secrets}.away`);
  await rejects(start(), /postgres\.json is gone.*Restore the file, or delete/);
  await rename(`${secrets}.away`, secrets);
  const made = await readFile(version);
  await writeFile(version, "17\n");
  await rejects(start(), /was made by PostgreSQL 17, and this is PostgreSQL 18/);
  await writeFile(version, made);
});

test("a name that cannot be a database's is refused before anything is made", async () => {
  const nowhere = join(root, "nowhere");
  for (const name of ["postgres", "Users", "a b", "", "1st", "pg_x", "x".repeat(64)]) {
    const options = {
      directory: nowhere,
      databases: [{ name }],
      log: silentLogger,
      clock: systemClock,
      random: systemRandom,
    };
    await rejects(startEmbeddedPostgres(options), /cannot be the name of a database/);
  }
  await rejects(stat(nowhere), { code: "ENOENT" });
});

test("of two programs that make the same cluster at once one gets it, and the other is refused", async () => {
  const fresh = join(root, "fresh");
  await mkdir(fresh, { mode: 0o700 });
  const starts = await Promise.allSettled([start(systemClock, fresh), start(systemClock, fresh)]);
  deepEqual(starts.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  const refused = starts.find((outcome) => outcome.status === "rejected");
  match(String(refused?.reason), /Another program/);
});

/** A clock on which waiting for the other program takes a few looks, not seconds. */
function hasty(): Clock {
  let nowMs = 0;
  return { ...systemClock, nowMs: () => (nowMs += 500) };
}
