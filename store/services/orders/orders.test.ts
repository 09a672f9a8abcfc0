import assert from "node:assert/strict";
import { test } from "node:test";
import { openShop } from "./fixture.ts";

const shop = await openShop();

async function anOrder(stock = 10) {
  const customer = await shop.customer();
  const product = await shop.product({ stock });
  const { json } = await shop.checkout(customer.authorization, { items: [{ productId: product.id, quantity: 2 }] });
  await shop.settled();
  return { ...customer, product, id: json.id as string };
}

function step(id: string, status: string, authorization: string, version?: number) {
  return shop.request("PATCH", `/v1/orders/${id}`, {
    authorization,
    body: { status, ...(version === undefined ? {} : { version }) },
  });
}

test("B15 an admin ships and delivers a confirmed order; every other step is 409 and names the legal ones", async () => {
  const { id } = await anOrder();
  const early = await step(id, "delivered", shop.admin, 2);
  assert.deepEqual([early.status, early.json.error.code], [409, "ILLEGAL_TRANSITION"]);
  assert.match(early.json.error.details[0].message, /shipped or cancelled/);
  assert.equal((await step(id, "shipped", shop.admin, 2)).json.status, "shipped");
  assert.equal((await step(id, "delivered", shop.admin, 3)).json.version, 4);
  assert.equal((await step(id, "cancelled", shop.admin, 4)).status, 409);
  const types = await shop.rows(
    "orders",
    "select type, version from ashlar.outbox where aggregate_id = $1 order by seq",
    [id],
  );
  assert.deepEqual(
    types.map(({ type, version }) => `${type} ${version}`),
    ["order.created 1", "order.confirmed 2", "order.shipped 3", "order.delivered 4"],
  );
});

test("B15 a customer may cancel and nothing else; cancelling gives the stock back once", async () => {
  const { id, authorization, product } = await anOrder(5);
  assert.equal((await step(id, "shipped", authorization, 2)).status, 403);
  const cancelled = await step(id, "cancelled", authorization, 2);
  assert.deepEqual([cancelled.status, cancelled.json.status], [200, "cancelled"]);
  assert.equal((await step(id, "cancelled", authorization, 3)).json.version, 3);
  await shop.settled();
  assert.equal(await shop.stockOf(product.id), 5);
});

test("B17 cancelling right after checkout, before the sale is settled, still gives the stock back once", async () => {
  const { authorization } = await shop.customer();
  const product = await shop.product({ stock: 4 });
  const { json } = await shop.checkout(authorization, { items: [{ productId: product.id, quantity: 3 }] });
  const answer = await shop.request("PATCH", `/v1/orders/${json.id}`, {
    authorization,
    headers: { "if-match": "*" },
    body: { status: "cancelled" },
  });
  assert.equal(answer.status, 200);
  await shop.settled();
  assert.equal(await shop.stockOf(product.id), 4);
  assert.equal((await shop.request("GET", `/v1/orders/${json.id}`, { authorization })).json.status, "cancelled");
});

test("B16 a step needs the version it is based on: 428 without, 412 and 409 with another", async () => {
  const { id, authorization } = await anOrder();
  const path = `/v1/orders/${id}`;
  assert.equal((await step(id, "cancelled", authorization)).status, 428);
  assert.equal(
    (
      await shop.request("PATCH", path, {
        authorization,
        headers: { "if-match": '"1"' },
        body: { status: "cancelled" },
      })
    ).status,
    412,
  );
  assert.equal(
    (
      await shop.request("PATCH", path, {
        authorization,
        headers: { "if-match": 'W/"2"' },
        body: { status: "cancelled" },
      })
    ).status,
    412,
  );
  const stale = await step(id, "cancelled", authorization, 1);
  assert.deepEqual([stale.status, stale.json.error.code], [409, "VERSION_CONFLICT"]);
  assert.equal(
    (
      await shop.request("PATCH", path, {
        authorization,
        headers: { "if-match": '"9", "2"' },
        body: { status: "cancelled" },
      })
    ).status,
    200,
  );
});

test("B16 of twelve writers with one version one gets 200 and eleven 412", async () => {
  const { id } = await anOrder();
  const answers = await Promise.all(
    Array.from({ length: 12 }, () =>
      shop.request("PATCH", `/v1/orders/${id}`, {
        authorization: shop.admin,
        headers: { "if-match": '"2"' },
        body: { status: "shipped" },
      }),
    ),
  );
  const statuses = answers.map(({ status }) => status).toSorted();
  assert.deepEqual(statuses, [200, ...Array.from({ length: 11 }, () => 412)]);
});

test("a stranger's order, a malformed id and no order at all are the same 404; nobody is 401", async () => {
  const { id } = await anOrder();
  const { authorization } = await shop.customer();
  const paths = [id, "ord_01h455vb4pex5vsknk084sn02q", "ord_nonsense", "usr_01h455vb4pex5vsknk084sn02q"].map(
    (name) => `/v1/orders/${name}`,
  );
  const answers = await Promise.all(paths.map((path) => shop.request("GET", path, { authorization })));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [404, 404, 404, 404],
  );
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
  assert.equal(
    (await shop.request("PATCH", `/v1/orders/${id}`, { authorization, body: { status: "cancelled" } })).status,
    404,
  );
  assert.equal((await shop.request("GET", `/v1/orders/${id}/items`, { authorization })).status, 404);
  const nobody = await shop.request("GET", `/v1/orders/${id}`);
  assert.deepEqual([nobody.status, nobody.headers.get("www-authenticate")], [401, 'Bearer realm="ashlar"']);
});

test("a customer lists own orders only, an admin all; another customer's list is 404", async () => {
  const mine = await anOrder();
  const other = await anOrder();
  const list = await shop.request("GET", "/v1/orders", { authorization: mine.authorization });
  assert.deepEqual(
    list.json.data.map((order: { id: string }) => order.id),
    [mine.id],
  );
  assert.equal(
    (await shop.request("GET", `/v1/users/${other.userId}/orders`, { authorization: mine.authorization })).status,
    404,
  );
  const all = await shop.request("GET", "/v1/orders?status=confirmed,shipped&limit=100&sort=-createdAt", {
    authorization: shop.admin,
  });
  const ids = new Set(all.json.data.map((order: { id: string }) => order.id));
  assert.ok(ids.has(mine.id) && ids.has(other.id));
  const me = await shop.request("GET", "/v1/users/me/orders?fields=id,total", { authorization: mine.authorization });
  assert.deepEqual(me.json.data, [{ id: mine.id, total: 19.98 }]);
});

test("an order says the same when it is made, alone, in a list, and narrowed to all that it has", async () => {
  const { userId, authorization, id } = await anOrder();
  const alone = await shop.request("GET", `/v1/orders/${id}`, { authorization });
  const listed = await shop.request("GET", `/v1/users/${userId}/orders`, { authorization });
  const fields = Object.keys(alone.json).join(",");
  const narrowed = await shop.request("GET", `/v1/orders/${id}?fields=${fields}`, { authorization });
  const list = await shop.request("GET", `/v1/users/${userId}/orders?fields=${fields}`, { authorization });
  // To the byte: the order of properties and the spelling of numbers are the same whoever writes them.
  const [one, page] = [JSON.stringify(alone.json), JSON.stringify(listed.json)];
  assert.equal(alone.json.items.length, 1);
  assert.deepEqual([JSON.stringify(narrowed.json), JSON.stringify(listed.json.data[0])], [one, one]);
  assert.equal(JSON.stringify(list.json), page);
  assert.equal(alone.headers.get("etag"), `"${alone.json.version}"`);
  assert.equal(listed.json.pagination.total, 1);
});

test("the items of an order are a list with pages and a cursor", async () => {
  const { authorization } = await shop.customer();
  const products = await Promise.all([shop.product(), shop.product(), shop.product()]);
  const { json } = await shop.checkout(authorization, {
    items: products.map(({ id }) => ({ productId: id, quantity: 1 })),
  });
  const first = await shop.request("GET", `/v1/orders/${json.id}/items?limit=2`, { authorization });
  assert.deepEqual(
    { ...first.json.pagination, nextCursor: 0 },
    { total: 3, page: 1, limit: 2, hasMore: true, nextCursor: 0 },
  );
  const rest = await shop.request(
    "GET",
    `/v1/orders/${json.id}/items?limit=2&cursor=${first.json.pagination.nextCursor}`,
    { authorization },
  );
  assert.deepEqual(
    [...first.json.data, ...rest.json.data].map((item: { productId: string }) => item.productId),
    products.map(({ id }) => id),
  );
  assert.equal(
    (await shop.request("GET", `/v1/orders/${json.id}/items?cursor=forged`, { authorization })).json.error.code,
    "INVALID_CURSOR",
  );
});
