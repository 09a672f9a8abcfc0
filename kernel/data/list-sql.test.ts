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
  const { text, values } = listSql(source, query({ page: 3 }), {}, undefined);
  equal(
    text,
    'select "id" from "things" where deleted_at is null order by "created_at" desc, "id" desc limit $2::int offset $1::bigint',
  );
  deepEqual(values, [40, 21]);
});

test("a cursor is a row comparison while all keys run one way, and skips nothing", () => {
  const { text, values } = listSql(source, query({ page: undefined }), {}, ["2026-01-01T00:00:00Z", uuid]);
  match(text, /where deleted_at is null and \("created_at", "id"\) < \(\$1::timestamptz, \$2::uuid\) order by/);
  ok(!text.includes("offset"));
  deepEqual(values, ["2026-01-01T00:00:00Z", uuid, 21]);
});

test("where keys run both ways it is one alternative per key", () => {
  const sort = [
    { property: "price", descending: false },
    { property: "name", descending: true },
    { property: "id", descending: true },
  ];
  const { text, values } = listSql(source, query({ page: undefined, sort }), {}, [9.99, "x", uuid]);
  match(
    text,
    /\(\("price" > \$1::numeric\) or \("price" = \$1::numeric and "name" < \$2::text\) or \("price" = \$1::numeric and "name" = \$2::text and "id" < \$3::uuid\)\)/,
  );
  deepEqual(values, [9.99, "x", uuid, 21]);
});

test("filters are parameters: any of, ranges that include, moments that exclude, arrays that overlap", () => {
  const filters = [
    filter("name", "in", "a", "b"),
    filter("price", "min", 1),
    filter("price", "max", 2.5),
    filter("at", "after", "2026-01-01T00:00:00Z"),
    filter("at", "before", "2027-01-01T00:00:00Z"),
    filter("isOpen", "in", true),
    filter("tags", "in", "x", "y"),
  ];
  const { text, values } = countSql(source, query({ filters }), {});
  equal(
    text,
    'select count(*)::int8 as total from "things" where deleted_at is null and "name" = any($1::text[]) and "price" >= $2::numeric and "price" <= $3::numeric and "at" > $4::timestamptz and "at" < $5::timestamptz and "is_open" = any($6::boolean[]) and "tags" && $7::text[]',
  );
  deepEqual(values, [["a", "b"], 1, 2.5, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", [true], ["x", "y"]]);
});

test("a scope narrows by equality; an id that is none can match no row", () => {
  const own = "usr_01h455vb4pex5vsknk084sn02q";
  const scoped = countSql(source, query(), { ownerId: own });
  match(scoped.text, /deleted_at is null and "owner_id" = \$1$/);
  match(String(scoped.values[0]), /^[0-9a-f-]{36}$/);
  deepEqual(countSql(source, query(), { ownerId: "nonsense" }).values, ["00000000-0000-0000-0000-000000000000"]);
});

test("q looks for text as it is written: wildcards and quotes are letters", () => {
  const { text, values } = countSql(source, query({ q: "100%_\\'; drop table things --" }), {});
  match(text, /\("name" ilike \$1\)$/);
  deepEqual(values, ["%100\\%\\_\\\\'; drop table things --%"]);
});

test("nothing of a request is ever in the text, and a property without a column is a mistake", () => {
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
