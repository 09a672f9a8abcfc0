// A database of its own for a test file, in the time it takes to copy one.
//
// Migrations run once per distinct set of them, into a template; each test database is a copy of
// it. Test files run in several processes, so a template is built under an advisory lock and
// counts as built once PostgreSQL marks it as a template.
//
// The databases belong to a role without privileges, as they do in production: a migration that
// needs more fails here first.

import { createHash } from "node:crypto";
import pg from "pg";
import { silentLogger, systemClock, systemRandom } from "../base/index.ts";
import { createDatabase, migrate, readMigrations, type Database, type MigrationSource } from "../data/index.ts";
import { postgresVariable, startThrowAwayPostgres, type ThrowAwayPostgres } from "./throw-away-postgres.ts";

export interface TestDatabase {
  url: string;
  /** Ends every session on it and drops it. Safe to repeat. */
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  migrations?: readonly MigrationSource[];
  /** Rows every copy begins with, made once. Change `key` whenever `fill` changes. */
  template?: { key: string; fill(database: Database): Promise<void> };
}

const owner = "ashlar_test";
const lockKey = 4_185_700_902;

/** A fresh, migrated database. Dropped when the process has nothing left to do, if not before. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const adminUrl = await serverUrl();
  const template = await templateOf(adminUrl, options);
  const name = `test_${Buffer.from(systemRandom.bytes(8)).toString("hex")}`;
  await asAdmin(adminUrl, (admin) => admin.query(`create database ${name} owner ${owner} template ${template}`));
  let dropped: Promise<void> | undefined;
  const drop = () =>
    (dropped ??= asAdmin(
      adminUrl,
      async (admin) => void (await admin.query(`drop database if exists ${name} with (force)`)),
    ));
  atTheEnd.push(drop);
  return { url: urlOf(adminUrl, name), drop };
}

// Not `after` of node:test: called inside a `before` hook, that one fires after the first test.
const atTheEnd: (() => Promise<void>)[] = [];
process.once("beforeExit", () => {
  void Promise.allSettled(atTheEnd.map((end) => end())).then(() => ownServer?.then((server) => server.stop()));
});

let ownServer: Promise<ThrowAwayPostgres> | undefined;

/** The run's server, or for a file run by itself one that ends with it. */
function serverUrl(): Promise<string> {
  const given = process.env[postgresVariable];
  if (given !== undefined) return Promise.resolve(given);
  return (ownServer ??= startThrowAwayPostgres()).then((server) => server.adminUrl);
}

function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.username = owner;
  url.pathname = `/${database}`;
  return url.href;
}

/** The name of a database that holds what `options` ask for. Built by whoever comes first. */
async function templateOf(adminUrl: string, options: TestDatabaseOptions): Promise<string> {
  const migrations = (await Promise.all((options.migrations ?? []).map(readMigrations))).flat();
  const content = JSON.stringify([
    migrations.map(({ source, name, checksum }) => [source, name, checksum]),
    options.template?.key,
  ]);
  const name = `template_${createHash("sha256").update(content).digest("hex").slice(0, 24)}`;
  return asAdmin(adminUrl, async (admin) => {
    await admin.query("select pg_advisory_lock($1)", [lockKey]);
    const built = await admin.query("select from pg_database where datname = $1 and datistemplate", [name]);
    if (built.rowCount === 0) await build(admin, adminUrl, name, options);
    return name;
  });
}

async function build(admin: pg.Client, adminUrl: string, name: string, options: TestDatabaseOptions): Promise<void> {
  const password = admin.escapeLiteral(decodeURIComponent(new URL(adminUrl).password));
  const exists = await admin.query("select from pg_roles where rolname = $1", [owner]);
  if (exists.rowCount === 0) await admin.query(`create role ${owner} login password ${password}`);
  await admin.query(`drop database if exists ${name} with (force)`);
  await admin.query(`create database ${name} owner ${owner}`);
  const database = createDatabase({ url: urlOf(adminUrl, name), log: silentLogger, clock: systemClock });
  try {
    if (options.migrations !== undefined) await migrate(database, options.migrations, { log: silentLogger });
    await options.template?.fill(database);
  } finally {
    await database.close();
  }
  await admin.query(`alter database ${name} is_template true allow_connections false`);
}

async function asAdmin<T>(adminUrl: string, run: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: adminUrl });
  // `drop ... with (force)` and the end of the server may end this session too.
  admin.on("error", () => {});
  await admin.connect();
  try {
    return await run(admin);
  } finally {
    await admin.end();
  }
}
