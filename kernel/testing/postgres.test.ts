import { deepEqual, equal, notEqual, rejects } from "node:assert/strict";
import { after, test } from "node:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { silentLogger, systemClock } from "../base/index.ts";
import { createDatabase, type Database } from "../data/index.ts";
import { createTestDatabase } from "./postgres.ts";

const folder = await mkdtemp(join(tmpdir(), "ashlar-migrations-"));
await writeFile(join(folder, "0001_users.sql"), "create table users (id int)");
const migrations = [{ name: "users", directory: pathToFileURL(`${folder}/`) }];

after(() => rm(folder, { recursive: true }));

async function using<T>(url: string, run: (database: Database) => Promise<T>): Promise<T> {
  const database = createDatabase({ url, log: silentLogger, clock: systemClock });
  try {
    return await run(database);
  } finally {
    await database.close();
  }
}

test("each test database has the migrations and nothing of the others", async () => {
  const [first, second] = await Promise.all([createTestDatabase({ migrations }), createTestDatabase({ migrations })]);
  notEqual(first.url, second.url);
  await using(first.url, (database) => database.query("insert into users values (1)"));
  deepEqual((await using(second.url, (database) => database.query("select * from users"))).rows, []);
});

test("rows of a template are made once and copied", async () => {
  let filled = 0;
  const template = {
    // A key of this run: a server that outlives the run would have the template already.
    key: folder,
    async fill(database: Database) {
      filled++;
      await database.query("insert into users values (7)");
    },
  };
  for (let turn = 0; turn < 2; turn++) {
    const { url } = await createTestDatabase({ migrations, template });
    deepEqual((await using(url, (database) => database.query("select * from users"))).rows, [{ id: 7 }]);
  }
  equal(filled, 1);
});

test("S11 a test database belongs to a role that may do no more than in production", async () => {
  const { url } = await createTestDatabase();
  const { rows } = await using(url, (database) =>
    database.query(
      "select rolsuper or rolcreatedb or rolcreaterole as powerful from pg_roles where rolname = current_user",
    ),
  );
  deepEqual(rows, [{ powerful: false }]);
});

test("dropping ends whoever is still connected", async () => {
  const { url, drop } = await createTestDatabase();
  await using(url, async (database) => {
    await database.query("select 1");
    await drop();
    await drop();
    await rejects(database.query("select 1"), { code: "UNAVAILABLE" });
  });
});
