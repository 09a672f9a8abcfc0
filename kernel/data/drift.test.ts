import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, systemClock } from "../base/index.ts";
import { anyone, id, integer, money, nullable, resource, text } from "../contract/index.ts";
import { createTestDatabase } from "../testing/postgres.ts";
import { createDatabase } from "./database.ts";
import { findDrift } from "./drift.ts";

const thing = resource("thing", {
  path: "/things",
  id: "thg",
  properties: {
    name: text({ max: 10 }),
    price: money(),
    note: nullable(text({ max: 10 })),
    ownerId: id("usr"),
    count: integer({ default: 0 }),
  },
  unique: [["name"]],
  softDelete: true,
  access: { get: anyone },
});

const { url } = await createTestDatabase();
const database = createDatabase({ url, log: silentLogger, clock: systemClock });
test.after(() => database.close());

const columns = `id uuid primary key, version integer not null default 1, created_at timestamptz not null, updated_at timestamptz not null`;

test("a table that is what the contract says has no drift", async () => {
  await database.query(`create table things (${columns}, name varchar(10) not null, price numeric(10,2) not null, note text,
    owner_id uuid not null, count integer not null, deleted_at timestamptz, remark text);
    create unique index things_name_key on things (name) where deleted_at is null`);
  assert.deepEqual(await findDrift(database, [thing]), []);
});

test("every difference is named: a missing table, column, index, another type, null where it must not be", async () => {
  await database.query(`drop table things; create table things (${columns}, name varchar(10), price integer not null, note text not null,
    owner_id uuid not null, secret text not null)`);
  assert.deepEqual((await findDrift(database, [thing])).toSorted(), [
    "things has no unique index named things_name_key",
    "things.count is missing",
    "things.deleted_at is missing",
    "things.name may be null, and the contract says it never is",
    "things.note is not null, and the contract says nullable",
    "things.price is integer, and the contract says money",
    "things.secret must be filled, and the contract does not know it",
  ]);
  await database.query("drop table things");
  assert.deepEqual(await findDrift(database, [thing]), ["Table things of resource thing does not exist"]);
});

test("a table of texts that is missing, or lacks what is searched, is named", async () => {
  const spec = { ...thing.spec, searchable: ["name", "note"], searchTable: "thing_texts" };
  const searched = { ...thing, spec } as typeof thing;
  await database.query(`create table things (${columns}, name varchar(10) not null, price numeric(10,2) not null, note text,
    owner_id uuid not null, count integer not null, deleted_at timestamptz);
    create unique index things_name_key on things (name) where deleted_at is null;
    create table thing_texts (id uuid primary key, name text not null)`);
  assert.deepEqual(await findDrift(database, [searched]), ["thing_texts.note is missing, and thing is searched there"]);
  await database.query("alter table thing_texts add note text");
  assert.deepEqual(await findDrift(database, [searched]), []);
});
