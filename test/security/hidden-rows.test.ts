// Rows that are deleted, or another's, are not shown, not counted and not to be guessed by any way to ask.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore, type Person } from "./fixture.ts";

const store = await openStore();
const [ann, bob, admin] = [await store.person(), await store.person(), await store.admin()];

const list = async (path: string, query: string, who?: Person) => {
  const request = who === undefined ? {} : { authorization: who.authorization };
  const { status, json, text } = await store.request("GET", `${path}?limit=100&${query}`, request);
  assert.equal(status, 200, text);
  return { ids: json.data.map(({ id }: { id: string }) => id) as string[], total: json.pagination.total as number };
};

/** Every page by cursor, one row at a time. */
async function walk(path: string, query: string, who?: Person): Promise<string[]> {
  const request = who === undefined ? {} : { authorization: who.authorization };
  const ids: string[] = [];
  for (let cursor = ""; ;) {
    const { json } = await store.request("GET", `${path}?limit=1&${query}${cursor}`, request);
    ids.push(...json.data.map(({ id }: { id: string }) => id));
    if (json.pagination.nextCursor === null) return ids;
    cursor = `&cursor=${encodeURIComponent(json.pagination.nextCursor)}`;
  }
}

test("Z07 a deleted row is in no list, count, filter, order, text or cursor of who may not restore it", async () => {
  const [kept, gone] = [await store.product({ price: 7 }), await store.product({ price: 7 })];
  const path = `/v1/products/${gone.id}`;
  const { status } = await store.request("DELETE", path, {
    authorization: admin.authorization,
    headers: { "if-match": "*" },
  });
  assert.equal(status, 204);
  const queries = [
    "",
    "q=Thing",
    `sku=${gone.sku},${kept.sku}`,
    "priceMin=7&priceMax=7",
    "currency=EUR",
    "sort=price",
    "sort=-name,stock",
    "fields=id",
    "createdAfter=2020-01-01",
  ];
  for (const who of [undefined, ann, admin]) {
    for (const query of queries) {
      const { ids, total } = await list("/v1/products", query, who);
      assert.deepEqual([ids.includes(gone.id), ids.includes(kept.id), total], [false, true, ids.length], query);
      assert.ok(!(await walk("/v1/products", query, who)).includes(gone.id), query);
    }
    const of = who === undefined ? {} : { authorization: who.authorization };
    assert.equal((await store.request("GET", path, of)).status, 404);
  }
  for (const who of [undefined, ann]) {
    const of = who === undefined ? {} : { authorization: who.authorization };
    for (const address of ["/v1/products?includeDeleted=true", `${path}?includeDeleted=true`]) {
      const { status: asked, text } = await store.request("GET", address, of);
      assert.ok(asked === 400 || asked === 401 || asked === 403 || asked === 404, `${address} is ${asked}`);
      assert.ok(!text.includes(gone.sku));
    }
  }
  const restorable = await list("/v1/products", "includeDeleted=true", admin);
  assert.ok(restorable.ids.includes(gone.id));
});

test("Z07 another's rows are in no list, count, filter, order or cursor of one's own", async () => {
  const { id: productId } = await store.product({ stock: 20 });
  const place = async ({ authorization }: Person): Promise<string> =>
    (await store.request("POST", "/v1/orders", { authorization, body: { items: [{ productId, quantity: 1 }] } })).json
      .id;
  const hers = [await place(ann), await place(ann), await place(ann)];
  const his = [await place(bob)];
  await store.settled();
  for (const query of [
    "",
    "status=confirmed,pending",
    "totalMin=0&totalMax=1000",
    "sort=total",
    "sort=-status",
    "fields=id",
    "createdAfter=2020-01-01",
  ]) {
    for (const path of ["/v1/orders", "/v1/users/me/orders"]) {
      for (const [who, own] of [
        [ann, hers],
        [bob, his],
      ] as const) {
        const { ids, total } = await list(path, query, who);
        assert.deepEqual([new Set(ids), total], [new Set(own), own.length], `${path}?${query}`);
        assert.deepEqual(new Set(await walk(path, query, who)), new Set(own), `${path}?${query}`);
      }
    }
  }
  for (const path of [
    `/v1/users/${ann.id}/orders`,
    `/v1/users/${ann.id}/sessions`,
    `/v1/users/${ann.id}/api-keys`,
    `/v1/orders/${hers[0]}/items`,
  ]) {
    const { status, json } = await store.request("GET", path, { authorization: bob.authorization });
    assert.deepEqual([status, json.pagination], [404, undefined], path);
  }
  const everything = await list("/v1/orders", "", admin);
  for (const id of [...hers, ...his]) assert.ok(everything.ids.includes(id));
});

test("Z07 a user who left is not found by who they were, and their sessions and keys are not there", async () => {
  const gone = await store.person();
  await store.apiKey(gone, ["orders:read"]);
  await store.request("DELETE", "/v1/users/me", { authorization: gone.authorization });
  for (const query of ["", `q=${encodeURIComponent(gone.email)}`, "role=member", "sort=email", "fields=id"]) {
    const { ids, total } = await list("/v1/users", query, admin);
    assert.deepEqual([ids.includes(gone.id), total], [false, ids.length], query);
  }
  for (const path of [
    `/v1/users/${gone.id}`,
    `/v1/users/${gone.id}/orders`,
    `/v1/users/${gone.id}/sessions`,
    `/v1/users/${gone.id}/api-keys`,
  ]) {
    const { status, json } = await store.request("GET", path, { authorization: admin.authorization });
    // An address below a user is a list, and an empty one says nothing.
    if (status === 200) assert.deepEqual([json.data, json.pagination.total], [[], 0], path);
    else assert.equal(status, 404, path);
  }
});
