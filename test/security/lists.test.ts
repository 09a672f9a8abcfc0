// What a client writes into the query of a list is looked up or compared, and never becomes a part of a statement.

import assert from "node:assert/strict";
import { test } from "node:test";
import { grammarOf, isPage, shapeOf } from "ashlar/contract";
import { contracts } from "../../store/services.ts";
import { openStore } from "./fixture.ts";
import { operations, type Reachable, setScene } from "./operations.ts";

const store = await openStore();
const scene = await setScene(store);
const admin = await store.admin();

const lists = operations.filter(({ method, returns }) => method === "GET" && isPage(returns));

function grammar({ service, resource }: Reachable) {
  const { changes } = contracts.find(({ name }) => name === service)!;
  return resource && grammarOf(resource, shapeOf(resource, 1, changes));
}

const isForAdmins = ({ access }: Reachable) => access.some((grant) => typeof grant === "object" && "role" in grant);
const ask = (operation: Reachable, query: string) => {
  const { authorization } = isForAdmins(operation) ? admin : scene.owner;
  return store.request("GET", `${scene.pathOf(operation)}?${query}`, { authorization });
};

async function refused(operation: Reachable, name: string, value: string): Promise<void> {
  const { status, json, text } = await ask(operation, `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  const what = `${operation.path}?${name}=${value}: ${text.slice(0, 200)}`;
  assert.equal(status, 400, what);
  const fields = json.error.details.map(({ field }: { field: string }) => field);
  assert.deepEqual(fields, [name === "cursor" ? "cursor" : name], what);
}

/** Statements that would take half a minute, end a statement, or ask for what is not there. */
const statements = [
  "id;select pg_sleep(30)",
  "(case when 1=1 then id else name end)",
  "-createdAt,+(select 1)",
  "id desc",
  '"id"',
  "id--",
  "id/**/",
  "1",
  "pg_sleep(30)",
  "created_at",
  "password_hash",
  "users.password_hash",
  "*",
  "id) from users--",
  "id,(select version())",
  "",
];

for (const operation of lists) {
  test(`N01 ${operation.service}.${operation.name} reads no statement from sort, fields or the name of a parameter`, async () => {
    for (const statement of statements) {
      await refused(operation, "sort", statement);
      await refused(operation, "fields", statement);
    }
    const names = ["id;select pg_sleep(30)--", "id'", "status[$ne]", "status[]", "id[or]", "where", "order", "select"];
    for (const name of names) await refused(operation, name, "1");
  });

  test(`N01 ${operation.service}.${operation.name} compares filters with what was sent, whatever it says`, async () => {
    const { parameters, searchable } = grammar(operation) ?? { parameters: new Map(), searchable: false };
    const hostile = ["'", "' or '1'='1", "'; select pg_sleep(30)--", "%", "_", "\\", "$1", '{"$ne":null}', "null"];
    for (const [name, { kind }] of [...parameters, ...(searchable ? [["q", { kind: "text" }] as const] : [])]) {
      for (const value of hostile) {
        const answer = await ask(operation, `${name}=${encodeURIComponent(value)}`);
        const what = `${operation.path}?${name}=${value}: ${answer.text.slice(0, 200)}`;
        // A text is looked for as it is written, and no row of the scene holds one of these.
        if (answer.status === 200) assert.deepEqual([kind, answer.json.data], ["text", []], what);
        else assert.equal(answer.status, 400, what);
      }
    }
  });

  test(`N12 ${operation.service}.${operation.name} takes a limit, a page and moments within their bounds and no others`, async () => {
    for (const limit of ["0", "-1", "101", "1e9", "1000000000", "NaN", "1.5", "0x10", "+1", " 1", "01", "", "٣"])
      await refused(operation, "limit", limit);
    for (const page of ["0", "-1", "1e9", "NaN", "", "2147483648", "9007199254740993"])
      await refused(operation, "page", page);
    for (const date of ["9999-99-99", "2026-02-30", "0000-01-01", "-1", "now", "infinity", "10000-01-01", ""]) {
      if (grammar(operation) === undefined) continue;
      await refused(operation, "createdAfter", date);
      await refused(operation, "createdBefore", date);
    }
    const far = await ask(operation, "page=2147483647&limit=100");
    assert.deepEqual([far.status, far.json.data], [200, []], far.text);
    assert.equal((await ask(operation, "limit=100&page=1")).status, 200);
  });

  test(`N08 ${operation.service}.${operation.name} refuses a parameter that comes twice`, async () => {
    for (const name of ["limit", "page", "sort", "fields", "cursor", "version"]) {
      const { status, json } = await ask(operation, `${name}=1&${name}=1`);
      assert.deepEqual([status, json.error.details.length > 0], [400, true], name);
    }
  });
}
