import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import {
  type Filter,
  flag,
  id,
  integer,
  list,
  type ListQuery,
  moment,
  money,
  resource,
  text,
} from "../contract/index.ts";
import { columnsOf } from "./columns.ts";
import { countSql, listSql, type ListSource } from "./list-sql.ts";

const thing = resource("thing", {
  path: "/things",
  id: "thg",
  properties: {
    name: text({ max: 9 }),
    price: money(),
    isOpen: flag(),
    at: moment(),
    count: integer(),
    tags: list(text({ max: 9 }), { max: 9 }),
    ownerId: id("usr"),
  },
  access: {},
});
const source: ListSource = {
  table: '"things"',
  columns: columnsOf(thing),
  selected: '"id"',
  searchable: ["name"],
  searchTable: undefined,
  softDelete: true,
};
const query = (values: Partial<ListQuery> = {}): ListQuery => ({
  filters: [],
  sort: [
    { property: "createdAt", descending: true },
    { property: "id", descending: true },
  ],
  q: undefined,
  limit: 20,
  page: 1,
  cursor: undefined,
  fields: undefined,
  includeDeleted: false,
  ...values,
});
const filter = (property: string, comparison: Filter["comparison"], ...values: Filter["values"]): Filter => ({
  property,
  comparison,
  values,
});
const uuid = "018c8b2c-0000-7000-8000-000000000000";

test("a page asks for one row more than it shows, and skips by offset", () => {
  const { text, values, steady } = listSql(source, query({ page: 3 }), {}, undefined);
  equal(
    text,
    'select "id" from "things" where deleted_at is null order by "created_at" desc, "id" desc limit $1::int offset $2::bigint',
  );
  deepEqual(values, [21, 40]);
  ok(!steady);
});

test("a first page and a page by cursor are texts that do not depend on the limit, to be planned once", () => {
  const [first, more] = [20, 50].map((limit) => listSql(source, query({ limit }), {}, undefined));
  equal(
    first!.text,
    'select * from (select "id" from "things" where deleted_at is null order by "created_at" desc, "id" desc limit 101) as page order by "created_at" desc, "id" desc limit $1::int',
  );
  deepEqual([first!.values, more!.values], [[21], [51]]);
  deepEqual([more!.text, first!.steady, more!.steady], [first!.text, true, true]);
  const byCursor = listSql(source, query({ page: undefined }), {}, ["2026-01-01T00:00:00Z", uuid]);
  ok(byCursor.steady);
  match(byCursor.text, /^select \* from \(.* limit 101\) as page .* limit \$3::int$/);
});

test("a limit beyond what clients may ask for is kept as it is", () => {
  const { text, values, steady } = listSql(source, query({ limit: 500 }), {}, undefined);
  match(text, /"id" desc limit \$1::int$/);
  deepEqual([values, steady], [[501], false]);
});

test("what depends on values is planned with them: filters, text, an owner in another order, and orders without number", () => {
  const byName = { property: "name", descending: false };
  const byPrice = { property: "price", descending: false };
  const byId = { property: "id", descending: false };
  for (const asked of [
    { filters: [filter("name", "in", "a")] },
    { q: "a" },
    { sort: [byName, byPrice, byId] },
    { page: 2 },
  ]) {
    ok(!listSql(source, query(asked), {}, undefined).steady, JSON.stringify(asked));
  }
  for (const asked of [{}, { sort: [byName, byId] }, { limit: 100 }]) {
    ok(listSql(source, query(asked), {}, undefined).steady, JSON.stringify(asked));
  }
  const scope = { ownerId: "usr_01h455vb4pex5vsknk084sn02q" };
  for (const asked of [{ sort: [byName, byId] }, { page: 2 }, { q: "a" }, { filters: [filter("name", "in", "a")] }])
    ok(!listSql(source, query(asked), scope, undefined).steady, JSON.stringify(asked));
  const turning = [{ property: "createdAt", descending: true }, byId];
  ok(!listSql(source, query({ sort: turning }), scope, undefined).steady);
  ok(!listSql(source, query(), { ...scope, name: "a" }, undefined).steady);
});

test("the rows of an owner as they were made are planned once, with a limit that the plan does not know", () => {
  const scope = { ownerId: "usr_01h455vb4pex5vsknk084sn02q" };
  const [first, more] = [20, 50].map((limit) => listSql(source, query({ limit }), scope, undefined));
  equal(
    first!.text,
    'select "id" from "things" where deleted_at is null and "owner_id" = $1 order by "created_at" desc, "id" desc limit $2::int',
  );
  deepEqual([more!.text, first!.steady, more!.values[1]], [first!.text, true, 51]);
  ok(listSql(source, query({ page: undefined }), scope, ["2026-01-01T00:00:00Z", uuid]).steady);
  ok(countSql(source, query(), scope).steady);
});

test("a cursor is a row comparison while all keys run one way, and skips nothing", () => {
  const { text, values } = listSql(source, query({ page: undefined }), {}, ["2026-01-01T00:00:00Z", uuid]);
  match(text, /where deleted_at is null and \("created_at", "id"\) < \(\$1::timestamptz, \$2::uuid\) order by/);
  ok(!text.includes("offset"));
  deepEqual(values, ["2026-01-01T00:00:00Z", uuid, 21]);
});

test("where keys turn, the scan begins at the position of those before the turn", () => {
  const sort = [
    { property: "price", descending: false },
    { property: "count", descending: false },
    { property: "name", descending: true },
    { property: "id", descending: false },
  ];
  const { text, values } = listSql(source, query({ page: undefined, sort }), {}, [9.99, 3, "x", uuid]);
  equal(
    /deleted_at is null and (.*) order by/.exec(text)![1],
    '("price", "count") >= ($1::numeric, $2::bigint) and (("price", "count") > ($1::numeric, $2::bigint) or ' +
      '("name") <= ($3) and (("name") < ($3) or ("id") > ($4::uuid)))',
  );
  deepEqual(values, [9.99, 3, "x", uuid, 21]);
});

test("filters are parameters: any of, ranges that include, moments that exclude, arrays that overlap", () => {
  const filters = [
    filter("name", "in", "a", "b"),
    filter("price", "min", 1),
    filter("price", "max", 2.5),
    filter("at", "after", "2026-01-01T00:00:00Z"),
    filter("at", "before", "2027-01-01T00:00:00Z"),
    filter("isOpen", "in", true),
    filter("name", "in", "c"),
    filter("tags", "in", "x", "y"),
  ];
  const { text, values } = countSql(source, query({ filters }), {});
  equal(
    text,
    'select count(*)::int8 as total from "things" where deleted_at is null and "name" = any($1) and "price" >= $2::numeric and "price" <= $3::numeric and "at" > $4::timestamptz and "at" < $5::timestamptz and "is_open" = $6::boolean and "name" = $7 and "tags" && $8::text[]',
  );
  deepEqual(values, [["a", "b"], 1, 2.5, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", true, "c", ["x", "y"]]);
});

test("a scope narrows by equality; an id that is none can match no row", () => {
  const own = "usr_01h455vb4pex5vsknk084sn02q";
  const scoped = countSql(source, query(), { ownerId: own });
  match(scoped.text, /deleted_at is null and "owner_id" = \$1$/);
  match(String(scoped.values[0]), /^[0-9a-f-]{36}$/);
  deepEqual(countSql(source, query(), { ownerId: "nonsense" }).values, ["00000000-0000-0000-0000-000000000000"]);
});

test("N01 q looks for text as it is written: wildcards and quotes are letters", () => {
  const { text, values } = countSql(source, query({ q: "100%_\\'; drop table things --" }), {});
  match(text, /\(lower\("name"\) like lower\(\$1\)\)$/);
  deepEqual(values, ["%100\\%\\_\\\\'; drop table things --%"]);
});

test("where texts have a table of their own, q looks there", () => {
  const apart = { ...source, searchable: ["name", "ownerId"], searchTable: "texts" };
  match(
    countSql(apart, query({ q: "A" }), {}).text,
    / and id in \(select id from "texts" where "name" like lower\(\$1\) or "owner_id" like lower\(\$1\)\)$/,
  );
});

test("N01 nothing of a request is ever in the text, and a property without a column is a mistake", () => {
  const { text } = listSql(
    source,
    query({ filters: [filter("name", "in", "'; select 1 --")], q: "'; select 2 --" }),
    {},
    undefined,
  );
  ok(!text.includes("select 1") && !text.includes("select 2"));
  throws(
    () => listSql(source, query({ sort: [{ property: "nonsense", descending: false }] }), {}, undefined),
    /no column for property "nonsense"/,
  );
});
