import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, systemClock } from "../../base/index.ts";
import {
  anyone,
  id,
  integer,
  list,
  moment,
  money,
  oneOf,
  owner,
  resource,
  role,
  service,
  text,
} from "../../contract/index.ts";
import { createDatabase } from "../../data/index.ts";
import { createTestDatabase } from "../postgres.ts";
import { fillTable } from "./fill-table.ts";
import { findSequentialScans } from "./sequential-scans.ts";

const thing = resource("thing", {
  path: "/things",
  id: "thg",
  properties: {
    name: text({ max: 40 }),
    state: oneOf(["open", "closed", "lost"]),
    price: money(),
    stock: integer({ min: 0 }),
    tags: list(text({ max: 10 }), { max: 3 }),
    seenAt: moment(),
    ownerId: id("usr"),
  },
  filterable: ["state", "price", "tags", "seenAt", "ownerId"],
  sortable: ["stock"],
  searchable: ["name"],
  softDelete: true,
  access: { list: anyone },
});
const versions = [{ number: 1 }];

const { url } = await createTestDatabase();
const database = createDatabase({ url, log: silentLogger, clock: systemClock });
test.after(() => database.close());

await database.query(`create table things (id uuid primary key, name text not null, state text not null,
  price numeric(15, 2) not null, stock integer not null, tags text[] not null, seen_at timestamptz not null, owner_id uuid not null,
  version integer not null, created_at timestamptz not null, updated_at timestamptz not null, deleted_at timestamptz);
  create extension pg_trgm`);
await fillTable(database, thing);

const living = "where deleted_at is null";
const remedies = [
  `create index on things (created_at, id) ${living}`,
  `create index on things (stock, id) ${living}`,
  `create index on things (state, created_at, id) ${living}`,
  `create index on things (price, id) ${living}`,
  `create index on things using gin (tags) ${living}`,
  `create index on things (seen_at, id) ${living}`,
  `create index on things (owner_id, created_at, id) ${living}`,
  "create index on things using gin (lower(name) gin_trgm_ops)",
];
const restorable = { ...thing, spec: { ...thing.spec, softDelete: { restorableBy: role("admin") } } } as typeof thing;
const contractWith = (one: typeof thing) =>
  service("things", { database: "things", summary: "Things", versions, resources: [one] });
const find = async (one = contractWith(thing)) => findSequentialScans(database, one, one.allOperations.listThings!);

test("every way to list that no index serves is named, with what it read and the index that would serve it", async () => {
  const findings = await find();
  for (const finding of findings)
    assert.match(finding, /^The (page|count) of \/things\S* reads \d+ rows \(.+\): create index on /);
  assert.deepEqual(findings.map((finding) => finding.replace(/^.*\): /, "")).toSorted(), remedies.toSorted());
  assert.match(findings[0]!, /^The page of \/things reads 20000 rows \(Seq Scan on things\)/);
});

test("a list of an owner's own rows needs an index that begins with the owner", async () => {
  const own = { ...thing, spec: { ...thing.spec, owner: "ownerId", access: { list: owner } } } as typeof thing;
  const findings = await find(contractWith(own));
  assert.match(findings.join("\n"), /of \/things of one ownerId reads 20000 rows/);
});

test("where the deleted may be listed, one index that holds them too is asked for", async () => {
  const findings = await find(contractWith(restorable));
  const needed = findings.map((finding) => finding.replace(/^.*\): /, ""));
  assert.deepEqual(needed.toSorted(), remedies.map((remedy) => remedy.replace(` ${living}`, "")).toSorted());
});

test("with the indexes it named there is nothing left to name", async () => {
  for (const remedy of remedies) await database.query(remedy);
  await database.query("vacuum (analyze) things");
  assert.deepEqual(await find(), []);
});

test("an index of the living does not serve the list of everything", async () => {
  const findings = await find(contractWith(restorable));
  assert.match(
    findings.join("\n"),
    /The page of \/things\?includeDeleted=true reads 20000 rows \(Seq Scan on things\)/,
  );
});
