import assert from "node:assert/strict";
import { test } from "node:test";
import { openShop } from "./fixture.ts";

const shop = await openShop();

const count = (statuses: number[], status: number) => statuses.filter((one) => one === status).length;

test("a checkout answers the order, takes the stock and is confirmed by the events that follow", async () => {
  const { authorization, userId } = await shop.customer();
  const mug = await shop.product({ stock: 5, price: 12.5 });
  const placed = await shop.checkout(authorization, { items: [{ productId: mug.id, quantity: 2 }] });
  assert.equal(placed.status, 201);
  assert.equal(placed.headers.get("location"), `/v1/orders/${placed.json.id}`);
  assert.equal(placed.headers.get("etag"), '"1"');
  assert.deepEqual(
    {
      ...placed.json,
      id: 0,
      createdAt: 0,
      updatedAt: 0,
      items: placed.json.items.map((item: object) => ({ ...item, id: 0 })),
    },
    {
      id: 0,
      status: "pending",
      userId,
      total: 25,
      currency: "EUR",
      version: 1,
      createdAt: 0,
      updatedAt: 0,
      items: [{ id: 0, productId: mug.id, sku: mug.sku, name: "A thing", quantity: 2, unitPrice: 12.5, lineTotal: 25 }],
    },
  );
  assert.equal(await shop.stockOf(mug.id), 3);
  await shop.settled();
  const confirmed = await shop.request("GET", `/v1/orders/${placed.json.id}`, { authorization });
  assert.deepEqual(
    [confirmed.json.status, confirmed.json.version, confirmed.headers.get("etag")],
    ["confirmed", 2, '"2"'],
  );
  assert.equal(await shop.stockOf(mug.id), 3);
});

test("B06 of ten concurrent checkouts for the last three units three succeed, seven get 409, and none is left", async () => {
  const last = await shop.product({ stock: 3 });
  const buyers = await Promise.all(Array.from({ length: 10 }, () => shop.customer()));
  const answers = await Promise.all(
    buyers.map(({ authorization }) => shop.checkout(authorization, { items: [{ productId: last.id, quantity: 1 }] })),
  );
  const statuses = answers.map(({ status }) => status);
  assert.deepEqual([count(statuses, 201), count(statuses, 409)], [3, 7]);
  const refused = answers.find(({ status }) => status === 409)!;
  assert.equal(refused.json.error.code, "INSUFFICIENT_STOCK");
  assert.equal(refused.json.error.details[0].field, "items[0].quantity");
  assert.equal(await shop.stockOf(last.id), 0);
  await shop.settled();
  assert.equal(await shop.stockOf(last.id), 0);
});

test("of many checkouts of one moment each gets its own answer: the refused leave nothing and hurt nobody", async () => {
  const { authorization } = await shop.customer();
  const [mug, last, pricey] = await Promise.all([
    shop.product({ stock: 100 }),
    shop.product({ stock: 1 }),
    shop.product({ price: 1, currency: "USD" }),
  ]);
  const bodies = Array.from({ length: 24 }, (_, at) => ({
    items: [
      { productId: mug.id, quantity: 1 },
      ...(at % 4 === 1 ? [{ productId: last.id, quantity: 2 }] : []),
      ...(at % 4 === 2 ? [{ productId: "prd_01h455vb4pex5vsknk084sn02q", quantity: 1 }] : []),
      ...(at % 4 === 3 ? [{ productId: pricey.id, quantity: 1 }] : []),
    ],
  }));
  const answers = await Promise.all(
    bodies.map((body, at) => shop.checkout(authorization, body, { "idempotency-key": `moment-${at}` })),
  );
  const codes = answers.map(({ status, json }) => (status === 201 ? "placed" : json.error.code));
  const expected = ["placed", "INSUFFICIENT_STOCK", "UNKNOWN_PRODUCT", "MIXED_CURRENCIES"];
  assert.deepEqual(
    codes,
    bodies.map((_, at) => expected[at % 4]),
  );
  const placed = answers.filter(({ status }) => status === 201);
  assert.equal(new Set(placed.map(({ json }) => json.id)).size, 6);
  await shop.settled();
  assert.deepEqual(
    [await shop.stockOf(mug.id), await shop.stockOf(last.id), await shop.stockOf(pricey.id)],
    [94, 1, 10],
  );
  const again = await Promise.all(
    bodies.map((body, at) => shop.checkout(authorization, body, { "idempotency-key": `moment-${at}` })),
  );
  for (const [at, { status, text }] of again.entries())
    if (answers[at]!.status === 201) assert.deepEqual([status, text], [201, answers[at]!.text]);
    else assert.equal(status, answers[at]!.status);
  assert.equal(await shop.stockOf(mug.id), 94);
});

test("B06 two products bought together in opposite order by many at once neither deadlock nor oversell", async () => {
  const [one, two] = [await shop.product({ stock: 5 }), await shop.product({ stock: 5 })];
  const buyers = await Promise.all(Array.from({ length: 12 }, () => shop.customer()));
  const answers = await Promise.all(
    buyers.map(({ authorization }, index) => {
      const items = [
        { productId: one.id, quantity: 1 },
        { productId: two.id, quantity: 1 },
      ];
      return shop.checkout(authorization, { items: index % 2 === 0 ? items : items.toReversed() });
    }),
  );
  const statuses = answers.map(({ status }) => status);
  assert.deepEqual([count(statuses, 201), count(statuses, 409)], [5, 7]);
  assert.deepEqual([await shop.stockOf(one.id), await shop.stockOf(two.id)], [0, 0]);
});

test("B06 the same product twice is summed into one line", async () => {
  const { authorization } = await shop.customer();
  const mug = await shop.product({ price: 0.1 });
  const { json } = await shop.checkout(authorization, {
    items: [
      { productId: mug.id, quantity: 1 },
      { productId: mug.id, quantity: 2 },
    ],
  });
  assert.deepEqual([json.items.length, json.items[0].quantity, json.total], [1, 3, 0.3]);
});

test("B09 B10 a repeated Idempotency-Key answers the same bytes and places one order; another payload is refused", async () => {
  const { authorization } = await shop.customer();
  const mug = await shop.product({ stock: 10 });
  const body = { items: [{ productId: mug.id, quantity: 1 }] };
  const first = await shop.checkout(authorization, body, { "idempotency-key": "once" });
  const second = await shop.checkout(authorization, body, { "idempotency-key": '"once"' });
  assert.deepEqual([first.status, second.status, second.text], [201, 201, first.text]);
  assert.deepEqual(
    [first.headers.get("idempotent-replayed"), second.headers.get("idempotent-replayed")],
    [null, "true"],
  );
  assert.equal(second.headers.get("location"), first.headers.get("location"));
  assert.equal(await shop.stockOf(mug.id), 9);
  const other = await shop.checkout(
    authorization,
    { items: [{ productId: mug.id, quantity: 2 }] },
    { "idempotency-key": "once" },
  );
  assert.deepEqual([other.status, other.json.error.code], [422, "IDEMPOTENCY_KEY_REUSED"]);
  const stranger = await shop.customer();
  assert.equal(
    (await shop.checkout(stranger.authorization, body, { "idempotency-key": "once" })).headers.get(
      "idempotent-replayed",
    ),
    null,
  );
});

test("B08 fifty concurrent checkouts with one key place one order, and all that answer 201 answer the same bytes", async () => {
  const { authorization, userId } = await shop.customer();
  const mug = await shop.product({ stock: 60 });
  const body = { items: [{ productId: mug.id, quantity: 1 }] };
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => shop.checkout(authorization, body, { "idempotency-key": "race" })),
  );
  const placed = answers.filter(({ status }) => status === 201);
  assert.equal(
    placed.length +
      count(
        answers.map(({ status }) => status),
        409,
      ),
    50,
  );
  assert.equal(new Set(placed.map(({ text }) => text)).size, 1);
  const mine = await shop.request("GET", `/v1/users/${userId}/orders`, { authorization });
  assert.deepEqual([mine.json.pagination.total, await shop.stockOf(mug.id)], [1, 59]);
});

test("B07 one cart checked out fifty times at once with different keys becomes one order", async () => {
  const { authorization, userId } = await shop.customer();
  const mug = await shop.product({ stock: 100 });
  await shop.request("PUT", `/v1/users/${userId}/cart/items/${mug.id}`, { authorization, body: { quantity: 2 } });
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => shop.checkout(authorization, {}, { "idempotency-key": `cart-${index}` })),
  );
  assert.equal(
    count(
      answers.map(({ status }) => status),
      201,
    ),
    1,
  );
  assert.ok(answers.every(({ status }) => [201, 409, 422].includes(status)));
  assert.equal((await shop.request("GET", `/v1/users/${userId}/cart`, { authorization })).json.items.length, 0);
  await shop.settled();
  assert.equal(await shop.stockOf(mug.id), 98);
});

test("B04 an expected total that differs is refused with the real one, and the stock is back at once", async () => {
  const { authorization } = await shop.customer();
  const mug = await shop.product({ stock: 4, price: 5 });
  const items = [{ productId: mug.id, quantity: 2 }];
  const refused = await shop.checkout(authorization, { items, expectedTotal: 9.99 });
  assert.deepEqual([refused.status, refused.json.error.code], [409, "PRICE_CHANGED"]);
  assert.match(refused.json.error.message, /10 EUR/);
  assert.equal(await shop.stockOf(mug.id), 4);
  assert.equal((await shop.checkout(authorization, { items, expectedTotal: 10 })).status, 201);
});

test("B03 B15 an empty cart, an unknown product and mixed currencies are 422 and change nothing", async () => {
  const { authorization } = await shop.customer();
  const [euro, dollar] = [await shop.product(), await shop.product({ currency: "USD" })];
  const unknown = "prd_01h455vb4pex5vsknk084sn02q";
  const cases: [unknown, string][] = [
    [{}, "EMPTY_CART"],
    [
      {
        items: [
          { productId: euro.id, quantity: 1 },
          { productId: unknown, quantity: 1 },
        ],
      },
      "UNKNOWN_PRODUCT",
    ],
    [
      {
        items: [
          { productId: euro.id, quantity: 1 },
          { productId: dollar.id, quantity: 1 },
        ],
      },
      "MIXED_CURRENCIES",
    ],
  ];
  for (const [body, code] of cases) {
    const { status, json } = await shop.checkout(authorization, body);
    assert.deepEqual([status, json.error.code], [422, code]);
  }
  assert.equal(await shop.stockOf(euro.id), 10);
});

test("B01 B02 a quantity that is not a whole number from 1 to 999 is 400, names its path and changes nothing", async () => {
  const { authorization } = await shop.customer();
  const mug = await shop.product();
  for (const quantity of ["0", "-1", "1.5", "1e400", "2147483648", "9007199254740993", '"1"', "true", "null", "[1]"]) {
    const { status, json } = await shop.checkout(
      authorization,
      `{"items":[{"productId":"${mug.id}","quantity":${quantity}}]}`,
    );
    assert.equal(status, 400, quantity);
    if (json.error.code === "VALIDATION_ERROR") assert.equal(json.error.details[0].field, "items[0].quantity");
  }
  for (const extra of ["price", "total", "discount", "currency", "userId", "status"]) {
    const { status, json } = await shop.checkout(authorization, {
      items: [{ productId: mug.id, quantity: 1 }],
      [extra]: 1,
    });
    assert.deepEqual([status, json.error.details[0].field], [400, extra]);
  }
  assert.equal(await shop.stockOf(mug.id), 10);
});

test("a reservation whose order never came returns by itself, and an order under its id cannot be placed any more", async () => {
  const mug = await shop.product({ stock: 3 });
  const orderId = "ord_01h455vb4pex5vsknk084sn02q";
  const { contextFor } = shop.system.services.get("orders")!;
  const { catalog } = await import("../catalog/contract.ts");
  await contextFor("test").call(catalog.operations.reserveStock, {
    body: { orderId, items: [{ productId: mug.id, quantity: 2 }] },
  });
  assert.equal(await shop.stockOf(mug.id), 1);
  await shop.clock.advance(70_000);
  // The job that the clock has set going asks orders and writes; it ends when it ends.
  for (let round = 0; round < 1_000 && (await shop.stockOf(mug.id)) !== 3; round++);
  assert.equal(await shop.stockOf(mug.id), 3);
  assert.equal((await shop.rows("orders", "select 1 from abandoned_orders")).length, 1);
});

test("tries of one checkout that reserve at the same moment take the stock once; with other items they start over", async () => {
  const mug = await shop.product({ stock: 3 });
  const orderId = "ord_01h455vb4pex5vsknk084sn03q";
  const { contextFor } = shop.system.services.get("orders")!;
  const { catalog } = await import("../catalog/contract.ts");
  const reserve = (quantity: number) =>
    contextFor("test").call(catalog.operations.reserveStock, {
      body: { orderId, items: [{ productId: mug.id, quantity }] },
    });
  const answers = await Promise.all([2, 2, 2, 2, 2].map(reserve));
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.equal(await shop.stockOf(mug.id), 1);
  await reserve(3);
  assert.equal(await shop.stockOf(mug.id), 0, "what it had counts as there");
  await assert.rejects(reserve(4), { code: "INSUFFICIENT_STOCK" });
  assert.equal(await shop.stockOf(mug.id), 0);
  await reserve(1);
  assert.equal(await shop.stockOf(mug.id), 2);
});
