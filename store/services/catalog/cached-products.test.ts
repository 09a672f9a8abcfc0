// Products are read from the cache by whoever looks at them, and by nobody who decides.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openShop } from "../orders/fixture.ts";

const shop = await openShop();
const { authorization } = await shop.customer();
const order = (productId: string, quantity: number) =>
  shop.checkout(authorization, { items: [{ productId, quantity }] });

test("a sale and a return of the stock are seen by the next read", async () => {
  const { id } = await shop.product({ stock: 5 });
  assert.equal(await shop.stockOf(id), 5);
  const { json } = await order(id, 2);
  assert.equal(await shop.stockOf(id), 3);
  await shop.settled();
  const cancelled = await shop.request("PATCH", `/v1/orders/${json.id}`, {
    authorization,
    headers: { "if-match": "*" },
    body: { status: "cancelled" },
  });
  assert.equal(cancelled.status, 200, cancelled.text);
  await shop.settled();
  assert.equal(await shop.stockOf(id), 5);
});

test("a checkout goes by the stock and the price that the database has, whatever is shown of the product", async () => {
  const { id } = await shop.product({ stock: 5, price: 9.99 });
  assert.equal(await shop.stockOf(id), 5);
  const sku = (await shop.request("GET", `/v1/products/${id}`)).json.sku as string;
  await shop.rows("catalog", "update products set stock = 1, price = 20 where sku = $1", [sku]);
  assert.equal(await shop.stockOf(id), 5, "it is shown as it was kept");
  const refused = await order(id, 2);
  assert.deepEqual([refused.status, refused.json.error.code], [409, "INSUFFICIENT_STOCK"]);
  const placed = await order(id, 1);
  assert.equal(placed.status, 201, placed.text);
  assert.equal(placed.json.items[0].unitPrice, 20);
  assert.equal(await shop.stockOf(id), 0);
});
