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
const contract = service("things", { database: "things", summary: "Things", versions, resources: [thing] });

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
const find = async (one = contract) => findSequentialScans(database, one, one.allOperations.listThings!);

test("every way to list that no index serves is named, with what it read and the index that would serve it", async () => {
  const findings = await find();
  for (const finding of findings)
    assert.match(finding, /^The (page|count) of \/things\S* reads \d+ rows \(.+\): create index on /);
  assert.deepEqual(findings.map((finding) => finding.replace(/^.*\): /, "")).toSorted(), remedies.toSorted());
  assert.match(findings[0]!, /^The page of \/things reads 20000 rows \(Seq Scan on things\)/);
});

test("a list of an owner's own rows needs an index that begins with the owner", async () => {
  const own = { ...thing, spec: { ...thing.spec, owner: "ownerId", access: { list: owner } } } as typeof thing;
  const findings = await find(service("things", { database: "things", summary: "Things", versions, resources: [own] }));
  assert.match(findings.join("\n"), /of \/things of one ownerId reads 20000 rows/);
});

test("with the indexes it named there is nothing left to name", async () => {
  for (const remedy of remedies) await database.query(remedy);
  await database.query("vacuum (analyze) things");
  assert.deepEqual(await find(), []);
});
