// Two processes that serve one shop: what one of them refuses must not undo what the other does.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestDatabase } from "ashlar/testing";
import { migrationsOf } from "ashlar/service";
import { catalogService } from "../catalog/service.ts";
import { openShop } from "./fixture.ts";
import { ordersService } from "./service.ts";

const [catalogUrl, ordersUrl] = await Promise.all(
  [catalogService(), ordersService()].map(
    async (one) => (await createTestDatabase({ migrations: migrationsOf(one) })).url,
  ),
);
const settings = { databaseUrls: { catalog: catalogUrl!, orders: ordersUrl! } };
const shops = [await openShop(settings), await openShop(settings)];
const [shop] = shops as [(typeof shops)[number]];

test("B08 fifty checkouts with one key at two processes place one order and take its stock once", async () => {
  const { userId } = await shop.customer();
  const authorizations = await Promise.all(shops.map((one) => one.authorization({ userId })));
  for (let round = 1; round <= 5; round++) {
    const product = await shop.product({ stock: 10 });
    const body = { items: [{ productId: product.id, quantity: 3 }] };
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        shops[at % 2]!.checkout(authorizations[at % 2]!, body, { "idempotency-key": `race-${round}` }),
      ),
    );
    const placed = answers.filter(({ status }) => status === 201);
    assert.ok(placed.length > 0);
    assert.equal(new Set(placed.map(({ text }) => text)).size, 1);
    for (const { status, json, text } of answers.filter(({ status }) => status !== 201))
      assert.deepEqual([status, json.error.code], [409, "IDEMPOTENCY_IN_PROGRESS"], text);
    await Promise.all(shops.map((one) => one.settled()));
    assert.equal(await shop.stockOf(product.id), 7);
    const { id } = placed[0]!.json;
    const { json } = await shop.request("GET", `/v1/orders/${id}`, { authorization: authorizations[0]! });
    assert.equal(json.status, "confirmed");
    const rows = await shop.rows(
      "orders",
      "select id from orders where user_id = (select user_id from orders limit 1)",
    );
    assert.equal(rows.length, round);
  }
});
