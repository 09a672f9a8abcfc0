import assert from "node:assert/strict";
import { test } from "node:test";
import { openShop } from "./fixture.ts";

const shop = await openShop();

test("a cart that was never used is empty, not missing", async () => {
  const { authorization, userId } = await shop.customer();
  const { status, json } = await shop.request("GET", "/v1/users/me/cart", { authorization });
  assert.equal(status, 200);
  assert.deepEqual(json, { userId, items: [], total: 0, currency: null, version: 0, updatedAt: null });
});

test("B04 a cart shows today's prices, keeps one line per product and is emptied by checkout", async () => {
  const { authorization, userId } = await shop.customer();
  const mug = await shop.product({ price: 10, stock: 9 });
  const path = `/v1/users/${userId}/cart`;
  await shop.request("PUT", `${path}/items/${mug.id}`, { authorization, body: { quantity: 5 } });
  const changed = await shop.request("PUT", `${path}/items/${mug.id}`, { authorization, body: { quantity: 2 } });
  assert.deepEqual(
    [changed.json.items.length, changed.json.items[0].quantity, changed.json.total, changed.json.version],
    [1, 2, 20, 2],
  );
  await shop.request("PATCH", `/v1/products/${mug.id}`, {
    authorization: shop.admin,
    headers: { "if-match": "*" },
    body: { price: 12.34 },
  });
  assert.equal((await shop.request("GET", path, { authorization })).json.total, 24.68);
  const order = await shop.request("POST", path.replace("/cart", "/orders"), {
    authorization,
    body: { expectedTotal: 24.68 },
  });
  assert.deepEqual([order.status, order.json.total], [201, 24.68]);
  assert.deepEqual((await shop.request("GET", path, { authorization })).json.items, []);
});

test("removing an item is 204, and 404 when it is not there; emptying the cart is 204 and may be repeated", async () => {
  const { authorization, userId } = await shop.customer();
  const [one, two] = [await shop.product(), await shop.product()];
  const path = `/v1/users/${userId}/cart`;
  for (const { id } of [one, two])
    await shop.request("PUT", `${path}/items/${id}`, { authorization, body: { quantity: 1 } });
  const remove = () => shop.request("DELETE", `${path}/items/${one.id}`, { authorization });
  assert.deepEqual([(await remove()).status, (await remove()).status], [204, 404]);
  assert.equal((await shop.request("GET", path, { authorization })).json.items.length, 1);
  for (let time = 0; time < 2; time++)
    assert.equal((await shop.request("DELETE", path, { authorization })).status, 204);
  assert.equal((await shop.request("GET", path, { authorization })).json.items.length, 0);
});

test("B01 B03 an unknown product or another currency is 422, a bad quantity 400, somebody else's cart 404", async () => {
  const { authorization, userId } = await shop.customer();
  const stranger = await shop.customer();
  const [euro, dollar] = [await shop.product(), await shop.product({ currency: "USD" })];
  const put = (productId: string, quantity: unknown, who = authorization) =>
    shop.request("PUT", `/v1/users/${userId}/cart/items/${productId}`, { authorization: who, body: { quantity } });
  assert.equal((await put("prd_01h455vb4pex5vsknk084sn02q", 1)).json.error.code, "UNKNOWN_PRODUCT");
  assert.equal((await put(euro.id, 1)).status, 200);
  assert.equal((await put(dollar.id, 1)).json.error.code, "MIXED_CURRENCIES");
  for (const quantity of [0, -1, 1.5, 1000, "1", null]) assert.equal((await put(euro.id, quantity)).status, 400);
  assert.equal((await put(euro.id, 1, stranger.authorization)).status, 404);
  assert.equal((await shop.request("GET", `/v1/users/${userId}/cart`, { authorization })).json.items[0].quantity, 1);
});

test("B04 a product that was deleted stays visible in the cart, and checking out says which it is", async () => {
  const { authorization, userId } = await shop.customer();
  const gone = await shop.product();
  await shop.request("PUT", `/v1/users/${userId}/cart/items/${gone.id}`, { authorization, body: { quantity: 1 } });
  await shop.request("DELETE", `/v1/products/${gone.id}`, { authorization: shop.admin, headers: { "if-match": "*" } });
  assert.equal((await shop.request("GET", `/v1/users/${userId}/cart`, { authorization })).json.items[0].sku, gone.sku);
  const refused = await shop.checkout(authorization, {});
  assert.deepEqual([refused.status, refused.json.error.details[0].field], [422, "items[0].productId"]);
});
