// A cursor is good for the list, the order, the filter and the caller it was made for, and for nothing else.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { openStore, type Person } from "./fixture.ts";

const store = await openStore();
const [ann, bob, admin] = [await store.person(), await store.person(), await store.admin()];
const products = [await store.product(), await store.product(), await store.product()];
for (const { authorization } of [ann, bob]) {
  for (const { id } of products) {
    const body = { items: [{ productId: id, quantity: 1 }] };
    assert.equal((await store.request("POST", "/v1/orders", { authorization, body })).status, 201);
  }
}

const list = (path: string, query: string, { authorization }: Pick<Person, "authorization">) =>
  store.request("GET", `${path}?${query}`, { authorization });

async function cursorOf(path: string, who: Person, query = ""): Promise<string> {
  const { status, json } = await list(path, `limit=1&${query}`, who);
  assert.deepEqual([status, typeof json.pagination.nextCursor], [200, "string"]);
  return json.pagination.nextCursor as string;
}

async function refused(path: string, cursor: string, who: Person, query = ""): Promise<void> {
  const { status, json } = await list(path, `limit=1&cursor=${encodeURIComponent(cursor)}&${query}`, who);
  assert.deepEqual([status, json.error?.code, json.data], [400, "INVALID_CURSOR", undefined], cursor);
  assert.deepEqual(
    json.error.details.map(({ field }: { field: string }) => field),
    ["cursor"],
  );
}

/** One bit of the text of a cursor flipped, without NUL, which no parameter may hold. */
function flipped(cursor: string): string {
  const bytes = Buffer.from(cursor, "latin1");
  bytes[randomInt(bytes.length)]! ^= 1 << randomInt(8);
  return bytes.toString("latin1").replaceAll("\0", "x");
}

test("N03 a cursor with one bit flipped is refused, five hundred times", async () => {
  for (const [path, who] of [
    ["/v1/orders", ann],
    ["/v1/products", ann],
    ["/v1/users", admin],
  ] as const) {
    const cursor = await cursorOf(path, who);
    assert.equal((await list(path, `limit=1&cursor=${cursor}`, who)).status, 200);
    const all = Array.from({ length: path === "/v1/orders" ? 300 : 100 }, () => flipped(cursor));
    while (all.length > 0) await Promise.all(all.splice(0, 20).map((one) => refused(path, one, who)));
  }
});

test("N03 what was made up is refused, whatever it would say", async () => {
  const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const [head, ...tail] = (await cursorOf("/v1/orders", ann)).split(".");
  for (const cursor of [
    json({ id: "' or 1=1" }),
    json(["2026-01-01T00:00:00Z", "ord_01h455vb4pex5vsknk084sn02q"]),
    json({ offset: 0 }),
    `${json(["x"])}.${tail.join(".")}`,
    `${head}.${head}`,
    head!,
    "' or 1=1",
    "eyJhbGciOiJub25lIn0..",
    "../../etc/passwd",
    "x".repeat(5_000),
    "",
  ])
    await refused("/v1/orders", cursor, ann);
});

test("N03 a cursor of another caller, list, order or filter is refused, and shows nobody's rows", async () => {
  const cursor = await cursorOf("/v1/orders", ann);
  await refused("/v1/orders", cursor, bob);
  await refused("/v1/orders", cursor, admin);
  await refused("/v1/orders", await cursorOf("/v1/orders", admin), ann);
  await refused("/v1/products", cursor, ann);
  await refused("/v1/orders", await cursorOf("/v1/products", ann), ann);
  for (const query of ["sort=total", "sort=createdAt", "status=pending", "totalMin=0"])
    await refused("/v1/orders", cursor, ann, query);
  await refused("/v1/orders", await cursorOf("/v1/orders", ann, "sort=total"), ann);
});

test("N03 a cursor goes on with the caller's own rows, after a new sign-in too", async () => {
  const cursor = await cursorOf("/v1/orders", ann);
  const again = { ...ann, ...(await store.signIn(ann.email)) };
  const { json } = await list("/v1/orders", `limit=100&cursor=${cursor}`, again);
  assert.equal(json.data.length, 2);
  for (const { userId } of json.data) assert.equal(userId, ann.id);
});
