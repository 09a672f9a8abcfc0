import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyone } from "./access.ts";
import { identity, order, user } from "./openapi/fixture.ts";
import { grammarOf, pagesOnly, readItemQuery, readListQuery } from "./query.ts";
import { resource } from "./resource.ts";
import { day, flag, integer } from "./schema.ts";
import { shapeOf } from "./version.ts";

const orders = grammarOf(order, shapeOf(order, 1, []));
const users = grammarOf(user, shapeOf(user, 2, identity.changes));
const oldUsers = grammarOf(user, shapeOf(user, 1, identity.changes));

/** As the server parses it: names to the values they were given, decoded. */
function parse(query: string): Map<string, string[]> {
  const parameters = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query))
    parameters.set(name, [...(parameters.get(name) ?? []), value]);
  return parameters;
}
const read = (query: string, grammar = orders) => readListQuery(grammar, parse(query));
const refused = (query: string, grammar = orders) => read(query, grammar).details.map(({ field }) => field);

test("an empty query is the first page of twenty, newest first", () => {
  const { list, details } = read("");
  deepEqual(details, []);
  deepEqual(list, {
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
  });
});

test("N12 limit is 1 to 100 and page starts at 1; each is written as a plain integer", () => {
  equal(read("limit=100").list.limit, 100);
  equal(read("page=2147483647").list.page, 2147483647);
  for (const value of ["0", "101", "-1", "+5", "05", "5.0", "1e1", "", " 5", "NaN", "9999999999999999999"])
    deepEqual(refused(`limit=${encodeURIComponent(value)}`), ["limit"], value);
  for (const value of ["0", "-1", "2147483648", "x"]) deepEqual(refused(`page=${value}`), ["page"], value);
});

test("a cursor replaces the page and excludes it", () => {
  deepEqual([read("cursor=abc").list.page, read("cursor=abc").list.cursor], [undefined, "abc"]);
  deepEqual(refused("cursor=abc&page=2"), ["page"]);
});

test("plus, its encoding, a space and nothing all mean ascending", () => {
  for (const query of ["sort=total", "sort=%2Btotal", "sort=+total", "sort=%20total"])
    deepEqual(read(query).list.sort[0], { property: "total", descending: false });
});

test("the id breaks ties in the direction of the last key, unless it is a key itself", () => {
  deepEqual(read("sort=-createdAt,total").list.sort.at(-1), { property: "id", descending: false });
  deepEqual(read("sort=id").list.sort, [{ property: "id", descending: false }]);
});

test("N01 unknown, repeated and empty sort keys are refused", () => {
  for (const keys of [
    "items",
    "total,total",
    "total,-total",
    "",
    "total,",
    "-",
    "--total",
    "total desc",
    "id;drop",
    "TOTAL",
  ])
    deepEqual(refused(`sort=${encodeURIComponent(keys)}`), ["sort"], keys);
});

test("N01 fields are those of the shape, each once; private and unknown ones are refused", () => {
  deepEqual(read("fields=id,name", users).list.fields, ["id", "name"]);
  for (const names of ["passwordHash", "password", "id,id", "", "*", "id,", "role"])
    deepEqual(refused(`fields=${encodeURIComponent(names)}`, users), ["fields"], names);
});

test("a comma in a filter means any of", () => {
  deepEqual(read("status=pending,confirmed").list.filters, [
    { property: "status", comparison: "in", values: ["pending", "confirmed"] },
  ]);
  deepEqual(refused("status=pending,"), ["status"]);
  deepEqual(refused("status=shipped"), ["status"]);
});

test("a range may lie outside what the property may hold, but must be written as its type is", () => {
  deepEqual(read("totalMin=-5&totalMax=99.99").list.filters, [
    { property: "total", comparison: "min", values: [-5] },
    { property: "total", comparison: "max", values: [99.99] },
  ]);
  for (const value of ["1e3", "0x10", "1.", ".5", "01", "", "NaN", "Infinity", "1,2", "1.999"])
    deepEqual(refused(`totalMin=${value}`), ["totalMin"], value);
  deepEqual(refused("positionMin=1.5"), ["positionMin"]);
});

test("N12 a date means midnight in UTC; a date that does not exist is refused", () => {
  deepEqual(read("createdAfter=2026-01-02").list.filters, [
    { property: "createdAt", comparison: "after", values: ["2026-01-02T00:00:00Z"] },
  ]);
  deepEqual(read("createdBefore=2026-01-02T10:00:00.5Z").list.filters, [
    { property: "createdAt", comparison: "before", values: ["2026-01-02T10:00:00.5Z"] },
  ]);
  for (const value of ["2026-02-30", "9999-99-99", "yesterday", "1700000000", ""])
    deepEqual(refused(`createdAfter=${value}`), ["createdAfter"], value);
});

test("flags and days are filters too", () => {
  const task = resource("task", {
    path: "/tasks",
    id: "tsk",
    properties: { done: flag(), due: day(), rank: integer() },
    filterable: ["done", "due"],
    access: { list: anyone },
  });
  const grammar = grammarOf(task, shapeOf(task, 1, []));
  deepEqual(read("done=true&dueBefore=2026-01-01", grammar).list.filters, [
    { property: "done", comparison: "in", values: [true] },
    { property: "due", comparison: "before", values: ["2026-01-01"] },
  ]);
  deepEqual(refused("done=1&rankMin=1", grammar), ["done", "rankMin"]);
});

test("N08 what is given twice, unknown or not filterable is refused, every one by name", () => {
  deepEqual(refused("limit=1&limit=2&status=pending&status=pending&userId=x&a[b]=1&sort=x"), [
    "limit",
    "status",
    "userId",
    "a[b]",
    "sort",
  ]);
});

test("text is searched only where the contract says so, in 1 to 200 code points", () => {
  equal(read("q=ada", users).list.q, "ada");
  deepEqual(refused("q=ada"), ["q"]);
  deepEqual(refused("q=", users), ["q"]);
  deepEqual(refused(`q=${"😀".repeat(200)}`, users), []);
  deepEqual(refused(`q=${"a".repeat(201)}`, users), ["q"]);
});

test("deleted rows can be asked for only where they can be restored", () => {
  equal(read("includeDeleted=true", users).list.includeDeleted, true);
  deepEqual(refused("includeDeleted=yes", users), ["includeDeleted"]);
  deepEqual(refused("includeDeleted=true"), ["includeDeleted"]);
});

test("deletedAt can be picked where deleted rows are shown, whichever of the two comes first", () => {
  for (const query of ["includeDeleted=true&fields=id,deletedAt", "fields=id,deletedAt&includeDeleted=true"])
    deepEqual([refused(query, users), readItemQuery(users, parse(query)).details], [[], []]);
  deepEqual(refused("fields=deletedAt", users), ["fields"]);
  deepEqual(refused("fields=deletedAt"), ["fields"]);
});

test("an older version filters by the older name and means the newer property", () => {
  deepEqual(read("role=admin", oldUsers).list.filters, [{ property: "roles", comparison: "in", values: ["admin"] }]);
  deepEqual(refused("roles=admin", oldUsers), ["roles"]);
  deepEqual(refused("role=admin", users), ["role"]);
});

test("a list without a resource has pages and nothing else", () => {
  deepEqual(refused("page=2&limit=5", pagesOnly), []);
  deepEqual(refused("sort=id&fields=id&q=x", pagesOnly), ["sort", "fields", "q"]);
});

test("a single resource takes fields and version, and refuses the rest", () => {
  deepEqual(readItemQuery(users, parse("fields=id&version=2")), { fields: ["id"], includeDeleted: false, details: [] });
  deepEqual(
    readItemQuery(users, parse("limit=1&fields=x&includeDeleted=1&sort=id&sort=id")).details.map(({ field }) => field),
    ["limit", "fields", "includeDeleted", "sort"],
  );
});

const names = [
  "limit",
  "page",
  "cursor",
  "sort",
  "fields",
  "q",
  "status",
  "totalMin",
  "createdAfter",
  "version",
  "__proto__",
  "constructor",
  "toString",
];

test("whatever is sent, reading never throws, and what is not refused is within bounds", () => {
  const parameters = fc.array(
    fc.tuple(
      fc.oneof(fc.constantFrom(...names), fc.string()),
      fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 2 }),
    ),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(parameters, (entries) => {
      const { list, details } = readListQuery(orders, new Map(entries));
      ok(list.limit >= 1 && list.limit <= 100);
      equal(list.sort.filter(({ property }) => property === "id").length, 1);
      ok(list.sort.every(({ property }) => [...orders.sortKeys.values()].includes(property)));
      for (const { property, values } of list.filters) {
        ok(["status", "total", "createdAt", "position"].includes(property));
        ok(values.length > 0 && values.length <= 100);
      }
      for (const { field } of details) ok(field === "page" || new Map(entries).has(field));
    }),
  );
});

test("every query that the grammar describes is accepted and read back as it was meant", () => {
  const keys = fc.uniqueArray(
    fc.record({ key: fc.constantFrom("total", "status", "createdAt"), descending: fc.boolean() }),
    { selector: ({ key }) => key, minLength: 1, maxLength: 3 },
  );
  const query = fc.record({
    limit: fc.integer({ min: 1, max: 100 }),
    page: fc.integer({ min: 1, max: 2_147_483_647 }),
    keys,
    statuses: fc.uniqueArray(fc.constantFrom("pending", "confirmed", "cancelled"), { minLength: 1 }),
    cents: fc.integer({ min: -1_000_000, max: 1_000_000 }),
  });
  fc.assert(
    fc.property(query, ({ limit, page, keys, statuses, cents }) => {
      const sort = keys.map(({ key, descending }) => `${descending ? "-" : ""}${key}`).join(",");
      const amount = (cents / 100).toFixed(2);
      const { list, details } = read(
        `limit=${limit}&page=${page}&sort=${sort}&status=${statuses.join(",")}&totalMin=${amount}`,
      );
      deepEqual(details, []);
      deepEqual([list.limit, list.page], [limit, page]);
      deepEqual(
        list.sort.slice(0, keys.length),
        keys.map(({ key, descending }) => ({ property: key, descending })),
      );
      deepEqual(
        list.filters.map(({ values }) => values),
        [statuses, [Number(amount)]],
      );
    }),
  );
});
