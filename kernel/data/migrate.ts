// Brings a database's tables to where the code expects them.
//
// Migrations are numbered SQL files (`0001_users.sql`), each run once, in order, in a transaction of
// its own, and never edited afterwards: what ran is kept with its checksum in `ashlar.migrations`.
// Each source (a platform folder, the service) counts for itself.
//
// The lock is taken per transaction, not per session, so it works behind a pooler too: every
// migration looks again, under the lock, at what has been applied. Of two processes at once, one
// waits and finds the work done. `lock_timeout` is short, because an ALTER TABLE that waits for a
// long reader makes everybody else wait behind it; failing and trying again later is kinder.
//
// A database may be ahead: during a rolling update the newer version has migrated it, and the older one still runs, and
// may be started again. What ran behind all that this version knows is accepted; whether the tables still are what its
// contract needs is for the comparison with them to say (drift.ts).

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Logger } from "../base/index.ts";
import type { Database } from "./database.ts";
import type { Queryable, Tx } from "./queryable.ts";

export interface MigrationSource {
  /** Whose migrations these are: `ashlar.events`, or the name of the service. */
  name: string;
  directory: URL;
}

export interface Migration {
  source: string;
  number: number;
  name: string;
  checksum: string;
  sql: string;
}

export interface MigrateOptions {
  log: Logger;
  /** How long a migration waits for a table that is in use. */
  lockTimeoutMs?: number;
  /** How long to wait for another process that is migrating. */
  waitTimeoutMs?: number;
}

interface Applied {
  number: number;
  name: string;
  checksum: string;
}

const fileName = /^(\d{4})_([a-z0-9_-]+)\.sql$/;

/**
 * Runs what has not run yet and answers with it. Safe to repeat, and to run in several processes at
 * once. Refuses, before running anything, when files and database contradict each other.
 */
export async function migrate(
  database: Database,
  sources: readonly MigrationSource[],
  options: MigrateOptions,
): Promise<Migration[]> {
  const wanted = await Promise.all(sources.map(readMigrations));
  await locked(database, options, createTable);
  const done: Migration[] = [];
  for (const [index, source] of sources.entries()) {
    const ahead = check(source.name, wanted[index]!, await appliedOf(database, source.name));
    if (ahead.length > 0)
      options.log.warn(
        { source: source.name, ahead: ahead.map(({ name }) => name) },
        "The database was migrated by a newer version; this one serves as long as the tables fit its contract",
      );
  }
  for (const migration of wanted.flat()) {
    const ran = await locked(database, options, (tx) => applyOnce(tx, migration));
    if (!ran) continue;
    options.log.info({ source: migration.source, migration: migration.name }, "Migrated");
    done.push(migration);
  }
  return done;
}

/** The migrations of a source in order, refusing names and numbers that would leave the order open. */
export async function readMigrations(source: MigrationSource): Promise<Migration[]> {
  const folder = fileURLToPath(source.directory);
  const files = (await filesIn(folder, source.name)).filter((file) => file.endsWith(".sql")).toSorted();
  const migrations: Migration[] = [];
  for (const file of files) {
    const match = fileName.exec(file);
    if (match === null) throw new Error(`Migration ${join(folder, file)} is not named like 0001_what_it_does.sql.`);
    const number = Number(match[1]);
    if (number !== migrations.length + 1) {
      throw new Error(
        `Migration ${join(folder, file)} should have the number ${format(migrations.length + 1)}: numbers begin at 0001, without gaps or doubles.`,
      );
    }
    const sql = await readFile(join(folder, file), "utf8");
    migrations.push({ source: source.name, number, name: file.slice(0, -4), checksum: checksumOf(sql), sql });
  }
  return migrations;
}

async function filesIn(folder: string, source: string): Promise<string[]> {
  return readdir(folder).catch((cause: unknown) => {
    throw new Error(
      `The folder of the migrations of "${source}", ${folder}, cannot be read. Make it and put 0001_${source}.sql in it, or correct "migrations" where the service is implemented.`,
      { cause },
    );
  });
}

/** Line ends do not count: git may change them. */
function checksumOf(sql: string): string {
  return createHash("sha256").update(sql.replaceAll("\r\n", "\n")).digest("hex");
}

function format(number: number): string {
  return String(number).padStart(4, "0");
}

async function createTable(tx: Tx): Promise<void> {
  await tx.query(`
    create schema if not exists ashlar;
    create table if not exists ashlar.migrations (
      source text not null,
      number integer not null,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now(),
      primary key (source, number)
    )`);
}

/** A transaction that no other migrating process shares. */
function locked<T>(database: Database, options: MigrateOptions, run: (tx: Tx) => Promise<T>): Promise<T> {
  const lockTimeoutMs = Math.trunc(options.lockTimeoutMs ?? 5_000);
  const waitTimeoutMs = Math.trunc(options.waitTimeoutMs ?? 600_000);
  return database.transaction(
    async (tx) => {
      await tx.query(`set local lock_timeout = ${waitTimeoutMs}; set local idle_in_transaction_session_timeout = 0`);
      await tx.query("select pg_advisory_xact_lock(hashtextextended('ashlar.migrations', 0))");
      await tx.query(`set local lock_timeout = ${lockTimeoutMs}`);
      return run(tx);
    },
    { statementTimeoutMs: 0 },
  );
}

async function appliedOf(queryable: Queryable, source: string): Promise<Applied[]> {
  const { rows } = await queryable.query<Applied & Record<string, unknown>>(
    "select number, name, checksum from ashlar.migrations where source = $1 order by number",
    [source],
  );
  return rows;
}

/** What has run must be a beginning of what there is, unchanged, or the other way round; returns what is not there. */
function check(source: string, wanted: readonly Migration[], applied: readonly Applied[]): readonly Applied[] {
  for (const [index, ran] of applied.entries()) {
    const file = wanted[index];
    if (file === undefined) return applied.slice(index);
    if (file.name !== ran.name) {
      throw new Error(
        `Migration ${file.name} of "${source}" stands where the database has run ${ran.name}. ` +
          `Restore ${ran.name}.sql and give ${file.name}.sql the next free number, ${format(Math.max(wanted.length, applied.length) + 1)}.`,
      );
    }
    if (file.checksum !== ran.checksum) {
      throw new Error(
        `Migration ${ran.name} of "${source}" was changed after it ran. Undo the change, and write what it should do as migration ${format(wanted.length + 1)}. ` +
          "While nothing in the database matters to you, you may start over: stop the app and delete its data folder.",
      );
    }
  }
  return [];
}

async function applyOnce(tx: Tx, migration: Migration): Promise<boolean> {
  const { source, number, name, checksum } = migration;
  const before = await tx.query("select checksum from ashlar.migrations where source = $1 and number = $2", [
    source,
    number,
  ]);
  if (before.rowCount > 0) return false;
  try {
    const transaction = await transactionId(tx);
    await tx.query(migration.sql);
    if ((await transactionId(tx)) !== transaction)
      throw new Error("It must not contain COMMIT or ROLLBACK: each migration is a transaction.");
  } catch (cause) {
    throw new Error(`Migration ${name} of "${source}" failed and was rolled back: ${reasonOf(cause, migration.sql)}`, {
      cause,
    });
  }
  await tx.query("insert into ashlar.migrations (source, number, name, checksum) values ($1, $2, $3, $4)", [
    source,
    number,
    name,
    checksum,
  ]);
  return true;
}

async function transactionId(tx: Tx): Promise<unknown> {
  return (await tx.query("select pg_current_xact_id()::text as id")).rows[0]?.id;
}

/** A Failure hides the server's words from clients; whoever runs a migration is to see them. */
function reasonOf(error: unknown, sql: string): string {
  const shown =
    error instanceof Error && error.name === "Failure" && error.cause instanceof Error ? error.cause : error;
  if (!(shown instanceof Error)) return String(shown);
  const position = Number((shown as { position?: string }).position);
  return position > 0 ? `${shown.message} (line ${sql.slice(0, position).split("\n").length})` : shown.message;
}
