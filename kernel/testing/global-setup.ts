// One PostgreSQL server for a whole test run: `node --test --test-global-setup=<this file>`.
//
// Runs in the process of the test runner; test files run in children, which inherit the variable.
// A server that is named there already (a CI's own, say) is used and not touched.

import { postgresVariable, startThrowAwayPostgres, type ThrowAwayPostgres } from "./throw-away-postgres.ts";

let server: ThrowAwayPostgres | undefined;

export async function globalSetup(): Promise<void> {
  if (process.env[postgresVariable] !== undefined) return;
  server = await startThrowAwayPostgres();
  process.env[postgresVariable] = server.adminUrl;
}

export async function globalTeardown(): Promise<void> {
  await server?.stop();
}
