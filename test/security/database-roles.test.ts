// What a service's role may not do in its database, should a statement ever be somebody else's after all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { contracts } from "../../store/services.ts";
import { openStore } from "./fixture.ts";

const store = await openStore();

const denied: Record<string, string> = {
  "run a program of the machine": "copy (select 1) to program 'true'",
  "read a file of the machine": "select pg_read_file('/etc/passwd')",
  "copy a file of the machine into a table": "create temporary table lines (line text); copy lines from '/etc/passwd'",
  "take a file of the machine as a large object": "select lo_import('/etc/passwd')",
  "write a file of the machine": "copy (select 1) to '/tmp/written-by-a-service'",
  "see the passwords of roles": "select rolpassword from pg_authid",
  "make a role": "create role intruder superuser",
  "make a database": "create database intruder",
  "raise itself": "alter role current_user superuser",
  "become the administrator":
    "select set_config('role', (select rolname from pg_roles where rolsuper order by oid limit 1), false)",
  "load code that is not trusted": "create extension file_fdw",
  "change how the server runs": "alter system set log_statement = 'all'",
};

for (const { name: service } of contracts) {
  test(`S11 the role of ${service} may not leave its database, whatever the statement`, async () => {
    // 42501 is insufficient_privilege: it was understood, and refused.
    for (const [what, sql] of Object.entries(denied))
      await assert.rejects(store.rows(service, sql), { code: "42501" }, what);
  });

  test(`S11 nothing of the other services is in the database of ${service}`, async () => {
    const own = new Set(contracts.find(({ name }) => name === service)!.resources.map(({ table }) => table));
    const others = contracts
      .flatMap(({ resources }) => resources.map(({ table }) => table))
      .filter((one) => !own.has(one));
    const tables = await store.rows(service, "select tablename from pg_tables where tablename = any($1)", [others]);
    assert.ok(others.length > 0);
    assert.deepEqual(tables, []);
  });
}
