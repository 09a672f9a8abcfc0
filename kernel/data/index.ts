// PostgreSQL: a database with its transactions, the errors it answers, migrations, and the server itself.
export { createDatabase, type Database, type DatabaseOptions } from "./database.ts";
export {
  attachEmbeddedPostgres,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from "./embedded.ts";
export { migrate, readMigrations, type MigrateOptions, type Migration, type MigrationSource } from "./migrate.ts";
export { commitOutcomeUnknown, constraintOf, isRetryable, mapConstraint } from "./pg-errors.ts";
export { readTogether } from "./read-together.ts";
export { createTogether, type Part, type Together } from "./together.ts";
export type { Queryable, QueryResult, Row, Statement, TransactionOptions, Tx } from "./queryable.ts";

// Resources: tables, lists, cursors.
export { createCursors, type Cursors } from "./cursor.ts";
export type { Scope } from "./list-sql.ts";
export { findDrift } from "./drift.ts";
export { createTable, type ListPage, type StoredRow, type Table } from "./table.ts";
export { freePort } from "./embedded-server.ts";
