import { deepEqual, equal, rejects } from "node:assert/strict";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { silentLogger, systemClock } from "../base/index.ts";
import { createTestDatabase } from "../testing/postgres.ts";
import { createDatabase, type Database } from "./database.ts";
import { migrate, type MigrationSource } from "./migrate.ts";

let database: Database;
let url: string;
const folders: string[] = [];
const log = silentLogger;

beforeEach(async () => {
  ({ url } = await createTestDatabase());
  database = createDatabase({ url, log, clock: systemClock });
});

afterEach(() => database.close());

after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function source(
  files: Record<string, string>,
  name = "users",
): Promise<MigrationSource & { path(file: string): string }> {
  const folder = await mkdtemp(join(tmpdir(), "ashlar-migrations-"));
  folders.push(folder);
  for (const [file, sql] of Object.entries(files)) await writeFile(join(folder, file), sql);
  return { name, directory: pathToFileURL(`${folder}/`), path: (file) => join(folder, file) };
}

const two = {
  "0001_users.sql": "create table users (id int); insert into users values (1);",
  "0002_names.sql": "alter table users add column name text not null default 'x';",
};

async function applied(): Promise<unknown[]> {
  const { rows } = await database.query(
    "select source || ' ' || name as ran from ashlar.migrations order by applied_at, source, number",
  );
  return rows.map(({ ran }) => ran);
}

test("migrations run in order, once, and the answer is what ran", async () => {
  const users = await source(two);
  deepEqual(
    (await migrate(database, [users], { log })).map(({ name }) => name),
    ["0001_users", "0002_names"],
  );
  deepEqual((await database.query("select * from users")).rows, [{ id: 1, name: "x" }]);
  deepEqual(await migrate(database, [users], { log }), []);
  await writeFile(users.path("0003_more.sql"), "insert into users values (2)");
  deepEqual(
    (await migrate(database, [users], { log })).map(({ name }) => name),
    ["0003_more"],
  );
  deepEqual(await applied(), ["users 0001_users", "users 0002_names", "users 0003_more"]);
});

test("each source counts for itself, and sources run in the order given", async () => {
  const platform = await source({ "0001_outbox.sql": "create table ashlar.outbox (id int)" }, "ashlar.events");
  const users = await source({ "0001_users.sql": "create table users as select * from ashlar.outbox" });
  await migrate(database, [platform, users], { log });
  deepEqual(await applied(), ["ashlar.events 0001_outbox", "users 0001_users"]);
});

test("a migration that fails leaves nothing of itself, keeps those before it, and says why", async () => {
  const users = await source({ ...two, "0003_bad.sql": "create table half (id int); select * from nowhere;" });
  await rejects(
    migrate(database, [users], { log }),
    /0003_bad of "users" failed and was rolled back: relation "nowhere" does not exist \(line 1\)/,
  );
  equal((await database.query("select to_regclass('half') as half")).rows[0]!.half, null);
  deepEqual(await applied(), ["users 0001_users", "users 0002_names"]);
  await writeFile(users.path("0003_bad.sql"), "create table whole (id int)");
  deepEqual((await migrate(database, [users], { log })).length, 1);
});

test("a migration that was changed after it ran is refused, and line ends are no change", async () => {
  const users = await source({ "0001_users.sql": "create table users (\n  id int\n)" });
  await migrate(database, [users], { log });
  await writeFile(users.path("0001_users.sql"), "create table users (\r\n  id int\r\n)");
  deepEqual(await migrate(database, [users], { log }), []);
  await writeFile(users.path("0001_users.sql"), "create table users (\n  id bigint\n)");
  await rejects(
    migrate(database, [users], { log }),
    /0001_users of "users" was changed after it ran\. Undo the change.*0002/,
  );
});

test("a folder of migrations that is not there is named, with what belongs in it", async () => {
  const users = await source({});
  const missing = { name: "users", directory: new URL("nowhere/", users.directory) };
  await rejects(
    migrate(database, [missing], { log }),
    /migrations of "users", .*nowhere\/, cannot be read\. Make it and put 0001_users\.sql in it/,
  );
});

test("what a newer version has run is accepted behind all that this one knows, said aloud, and left alone", async () => {
  await migrate(database, [await source(two)], { log });
  const fewer = await source({ "0001_users.sql": two["0001_users.sql"] });
  const said: unknown[] = [];
  const hearing = { ...log, warn: (fields: object) => void said.push(fields) };
  deepEqual(await migrate(database, [fewer], { log: hearing }), []);
  deepEqual(said, [{ source: "users", ahead: ["0002_names"] }]);
  deepEqual(await applied(), ["users 0001_users", "users 0002_names"]);
});

test("a migration that takes the number of one that ran is refused and told its number", async () => {
  const users = await source(two);
  await migrate(database, [users], { log });
  await rename(users.path("0002_names.sql"), users.path("0003_names.sql"));
  await writeFile(users.path("0002_late.sql"), "select 1");
  await rejects(
    migrate(database, [users], { log }),
    /0002_late of "users" stands where the database has run 0002_names.*0004/,
  );
});

for (const [files, expected] of [
  [["0001_a.sql", "0003_c.sql"], /0003_c\.sql should have the number 0002/],
  [["0001_a.sql", "0001_b.sql"], /0001_b\.sql should have the number 0002/],
  [["0002_b.sql"], /0002_b\.sql should have the number 0001/],
  [["1_a.sql"], /1_a\.sql is not named like 0001_what_it_does\.sql/],
] as const) {
  test(`files ${files.join(" and ")} are refused before anything runs`, async () => {
    const wrong = await source(Object.fromEntries(files.map((file) => [file, "create table should_not_be (id int)"])));
    await rejects(migrate(database, [wrong], { log }), expected);
    equal((await database.query("select to_regclass('ashlar.migrations') as made")).rows[0]!.made, null);
  });
}

test("of two processes that migrate at once one waits, and both find everything done", async () => {
  const users = await source({ ...two, "0003_slow.sql": "select pg_sleep(0.1); create table slow (id int);" });
  const another = createDatabase({ url, log, clock: systemClock });
  const ran = await Promise.all([migrate(database, [users], { log }), migrate(another, [users], { log })]);
  await another.close();
  deepEqual(
    ran
      .flat()
      .map(({ name }) => name)
      .toSorted(),
    ["0001_users", "0002_names", "0003_slow"],
  );
  equal((await applied()).length, 3);
});

test("a table in use is waited for lockTimeoutMs, then the migration gives way", async () => {
  const users = await source(two);
  await database.query("create table users (id int)");
  await writeFile(users.path("0001_users.sql"), "select 1");
  await database.transaction(async (tx) => {
    await tx.query("select * from users");
    await rejects(migrate(database, [users], { log, lockTimeoutMs: 50 }), /0002_names.*lock timeout/);
  });
  deepEqual(
    (await migrate(database, [users], { log })).map(({ name }) => name),
    ["0002_names"],
  );
});

test("a migration may take longer than statements may", async () => {
  const hasty = createDatabase({ url, log, clock: systemClock, statementTimeoutMs: 50 });
  await migrate(hasty, [await source({ "0001_slow.sql": "select pg_sleep(0.2)" })], { log });
  await hasty.close();
});

test("a migration that commits by itself is named", async () => {
  const users = await source({ "0001_commits.sql": "create table a (id int); commit; create table b (id int);" });
  await rejects(migrate(database, [users], { log }), /0001_commits.*must not contain COMMIT/);
});
