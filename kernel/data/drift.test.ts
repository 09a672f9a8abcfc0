import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, systemClock } from "../base/index.ts";
import {
  anyone,
  currency,
  day,
  email,
  flag,
  id,
  integer,
  list,
  moment,
  money,
  nullable,
  object,
  oneOf,
  resource,
  text,
} from "../contract/index.ts";
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
  await database.query(`create table things (${columns}, name varchar(10) not null, price numeric(15,2) not null, note text,
    owner_id uuid not null, count integer not null, deleted_at timestamptz, remark text);
    create unique index things_name_key on things (name) where deleted_at is null`);
  assert.deepEqual(await findDrift(database, [thing]), []);
});

test("every difference is named, with what mends it", async () => {
  await database.query(`drop table things; create table things (${columns}, name varchar(10), price integer not null, note text not null,
    owner_id uuid not null, secret text not null)`);
  assert.deepEqual((await findDrift(database, [thing])).toSorted(), [
    "things has no unique index named things_name_key: create unique index things_name_key on things (name) where deleted_at is null;",
    "things.count is missing: count integer not null",
    "things.deleted_at is missing: deleted_at timestamptz",
    "things.name may be null, and the contract says it never is",
    "things.note is not null, and the contract says nullable",
    "things.price is integer, and the contract needs numeric(15, 2)",
    'things.secret must be filled, and the contract does not know it. Give it a default, let it be null, or declare it in "private"',
  ]);
});

test("a column that cannot hold every value of the contract is named", async () => {
  await database.query(`drop table things; create table things (${columns}, name char(10) not null, price numeric(10,1) not null,
    note varchar(9), owner_id uuid not null, count smallint not null, deleted_at timestamptz);
    create unique index things_name_key on things (name) where deleted_at is null`);
  assert.deepEqual((await findDrift(database, [thing])).toSorted(), [
    "things.count holds numbers up to 32767, and the contract allows 2147483647",
    "things.name is filled up with spaces: make it varchar or text",
    "things.note holds 9 characters, and the contract allows 10",
    "things.price has no room for two decimals: make it numeric(15, 2)",
  ]);
  await database.query("alter table things alter column price type numeric(14, 2)");
  assert.ok(
    (await findDrift(database, [thing])).includes(
      "things.price holds numbers up to 999999999999.99, and the contract allows 9999999999999.99",
    ),
  );
});

const every = resource("sample", {
  path: "/samples",
  id: "smp",
  properties: {
    word: text({ max: 20 }),
    essay: text({ max: 5000 }),
    address: email(),
    count: integer(),
    large: integer({ max: Number.MAX_SAFE_INTEGER }),
    price: money(),
    currency: currency(),
    isNew: flag(),
    state: oneOf(["open", "closed"]),
    ownerId: id("usr"),
    at: moment(),
    on: nullable(day()),
    tags: list(text({ max: 9 }), { max: 3 }),
    lines: list(object({ count: integer() }), { max: 3 }),
    place: nullable(object({ city: text({ max: 9 }) })),
  },
  private: { secret: text({ max: 20 }) },
  unique: [["word"], ["state", "count"]],
  softDelete: true,
  access: { get: anyone },
});

test("the table that a missing one's message proposes is what the contract needs", async () => {
  const [message] = await findDrift(database, [every]);
  assert.match(
    message!,
    /^Table samples of resource sample does not exist\. This would make it:\n\ncreate table samples \(/,
  );
  await database.query(message!.slice(message!.indexOf("create table")));
  assert.deepEqual(await findDrift(database, [every]), []);
});

test("a table of texts that is missing, or lacks what is searched, is named", async () => {
  const spec = { ...thing.spec, searchable: ["name", "note"], searchTable: "thing_texts" };
  const searched = { ...thing, spec } as typeof thing;
  await database.query(`drop table things; create table things (${columns}, name varchar(10) not null, price numeric(15,2) not null, note text,
    owner_id uuid not null, count integer not null, deleted_at timestamptz);
    create unique index things_name_key on things (name) where deleted_at is null;
    create table thing_texts (id uuid primary key, name text not null)`);
  assert.deepEqual(await findDrift(database, [searched]), ["thing_texts.note is missing, and thing is searched there"]);
  await database.query("alter table thing_texts add note text");
  assert.deepEqual(await findDrift(database, [searched]), []);
});
