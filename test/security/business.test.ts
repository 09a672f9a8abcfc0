// Stock and money under whoever hurries, repeats, skips or lies.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestAnswer } from "ashlar/testing";
import { openStore, type Person } from "./fixture.ts";

const store = await openStore();
const admin = await store.admin();

const count = (answers: readonly TestAnswer[], status: number) => answers.filter((one) => one.status === status).length;
const checkout = ({ authorization }: Pick<Person, "authorization">, body: object, key?: string) =>
  store.request("POST", "/v1/orders", {
    authorization,
    body,
    headers: key === undefined ? {} : { "idempotency-key": key },
  });
const stockOf = async (id: string): Promise<number> => (await store.request("GET", `/v1/products/${id}`)).json.stock;
const step = (id: string, status: string, { authorization }: Pick<Person, "authorization">) =>
  store.request("PATCH", `/v1/orders/${id}`, { authorization, body: { status }, headers: { "if-match": "*" } });
const aLine = (productId: string, quantity = 1) => ({ productId, quantity });

/** Customers without the work of registering them: only their tokens matter here. */
const customers = (amount: number) =>
  Promise.all(Array.from({ length: amount }, async () => ({ authorization: await store.authorization() })));

test("B02 what a client says about prices is refused, and what it pays is what the server asks", async () => {
  const product = await store.product({ price: 25, stock: 5 });
  const person = await store.person();
  for (const lie of [
    { price: 0.01 },
    { total: 0.01 },
    { discount: 24 },
    { currency: "JPY" },
    { unitPrice: 0 },
    { coupon: "FREE" },
  ]) {
    assert.equal((await checkout(person, { items: [aLine(product.id)], ...lie })).status, 400);
    assert.equal((await checkout(person, { items: [{ ...aLine(product.id), ...lie }] })).status, 400);
  }
  const { status, json } = await checkout(person, { items: [aLine(product.id, 2)] });
  assert.deepEqual([status, json.total, json.currency, json.items[0].unitPrice], [201, 50, "EUR", 25]);
  const { authorization } = person;
  for (const lie of [{ total: 1 }, { items: [] }, { userId: admin.id }, { currency: "JPY" }])
    assert.equal(
      (
        await store.request("PATCH", `/v1/orders/${json.id}`, {
          authorization,
          body: lie,
          headers: { "if-match": "*" },
        })
      ).status,
      400,
    );
});

test("B04 who expects the old price is told the new one, who expects none pays the new one, and what is withdrawn is not sold", async () => {
  const product = await store.product({ price: 10, stock: 5 });
  const person = await store.person();
  const { authorization } = person;
  await store.request("PUT", `/v1/users/me/cart/items/${product.id}`, { authorization, body: { quantity: 2 } });
  const ofAdmin = { authorization: admin.authorization, headers: { "if-match": "*" } };
  await store.request("PATCH", `/v1/products/${product.id}`, { ...ofAdmin, body: { price: 12 } });
  const refused = await checkout(person, { expectedTotal: 20 });
  assert.deepEqual([refused.status, refused.json.error.code, await stockOf(product.id)], [409, "PRICE_CHANGED", 5]);
  const accepted = await checkout(person, {});
  assert.deepEqual([accepted.status, accepted.json.total], [201, 24]);
  // What was ordered keeps its price.
  await store.request("PATCH", `/v1/products/${product.id}`, { ...ofAdmin, body: { price: 99 } });
  assert.equal((await store.request("GET", `/v1/orders/${accepted.json.id}`, { authorization })).json.total, 24);
  await store.request("PUT", `/v1/users/me/cart/items/${product.id}`, { authorization, body: { quantity: 1 } });
  await store.request("DELETE", `/v1/products/${product.id}`, ofAdmin);
  const withdrawn = await checkout(person, {});
  assert.deepEqual([withdrawn.status, withdrawn.json.error.code], [422, "UNKNOWN_PRODUCT"]);
});

test("B06 of two hundred customers for fifty units fifty get one, in one order of lines or the other", async () => {
  const [one, two] = [await store.product({ stock: 50 }), await store.product({ stock: 50 })];
  const all = await customers(200);
  const answers = await Promise.all(
    all.map(async (customer, index) => {
      const items = [aLine(one.id), aLine(two.id)];
      const body = { items: index % 2 === 0 ? items : items.toReversed() };
      // Two hundred at once may be more than this machine takes; then a customer asks again, as they are told to.
      let answer = await checkout(customer, body, "once");
      while (answer.status === 503) answer = await checkout(customer, body, "once");
      return answer;
    }),
  );
  assert.deepEqual([count(answers, 201), count(answers, 409)], [50, 150]);
  await store.settled();
  assert.deepEqual([await stockOf(one.id), await stockOf(two.id)], [0, 0]);
  const sold = await store.rows(
    "orders",
    "select count(*)::int as sold from orders where status = 'confirmed' and items::text like $1",
    [`%${one.sku}%`],
  );
  assert.equal(sold[0]!.sold, 50);
});

test("B09 a key is that of its address: at another one it is another request, with the same body too", async () => {
  const person = await store.person();
  const product = await store.product({ stock: 10 });
  const body = { items: [aLine(product.id)] };
  const first = await checkout(person, body, "one-key");
  const { authorization } = person;
  const headers = { "idempotency-key": "one-key" };
  const other = await store.request("POST", `/v1/users/${person.id}/orders`, { authorization, body, headers });
  assert.deepEqual([first.status, other.status], [201, 201]);
  assert.notEqual(first.json.id, other.json.id);
  const again = await checkout(person, body, "one-key");
  assert.deepEqual([again.text, again.headers.get("idempotent-replayed")], [first.text, "true"]);
  const reused = await checkout(person, { items: [aLine(product.id, 2)] }, "one-key");
  assert.deepEqual(
    [reused.status, reused.json.error.code, await stockOf(product.id)],
    [422, "IDEMPOTENCY_KEY_REUSED", 8],
  );
});

test("B10 with somebody else's key a customer gets an order of their own, and sees nothing of the other", async () => {
  const [ann, bob] = [await store.person(), await store.person()];
  const product = await store.product({ stock: 10 });
  const body = { items: [aLine(product.id)] };
  const [hers, his] = [await checkout(ann, body, "shared"), await checkout(bob, body, "shared")];
  assert.deepEqual([hers.json.userId, his.json.userId], [ann.id, bob.id]);
  assert.equal(his.headers.get("idempotent-replayed"), null);
  const nobody = await store.request("POST", "/v1/orders", { body, headers: { "idempotency-key": "shared" } });
  assert.deepEqual([nobody.status, nobody.text.includes(hers.json.id)], [401, false]);
});

test("B11 a key that was refused may come again with a better request, and then keeps its answer", async () => {
  const person = await store.person();
  const product = await store.product({ stock: 1 });
  const refusals: [object, number][] = [
    [{ items: [aLine(product.id, 0)] }, 400],
    [{ items: [aLine("prd_01h455vb4pex5vsknk084sn02q")] }, 422],
    [{ items: [aLine(product.id, 2)] }, 409],
  ];
  for (const [body, status] of refusals) assert.equal((await checkout(person, body, "again")).status, status);
  const placed = await checkout(person, { items: [aLine(product.id)] }, "again");
  assert.equal(placed.status, 201);
  assert.equal((await checkout(person, { items: [aLine(product.id)] }, "again")).text, placed.text);
  assert.equal((await checkout(person, { items: [aLine(product.id, 2)] }, "again")).status, 422);
});

test("B12 a key that is empty, too long, not of visible ASCII or given twice is 400 and places nothing", async () => {
  const person = await store.person();
  const product = await store.product({ stock: 3 });
  const body = JSON.stringify({ items: [aLine(product.id)] });
  const head = `POST /v1/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${person.authorization}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  const send = async (lines: string) => Number((await store.raw(`${head}${lines}\r\n${body}`)).split(" ")[1]);
  const keys = ["", "x".repeat(256), "a b", "a\tb", "\xe9", "a\0b", '""', "a\u0001"];
  for (const key of keys) assert.equal(await send(`Idempotency-Key: ${key}\r\n`), 400, JSON.stringify(key));
  assert.equal(await send("Idempotency-Key: a\r\nIdempotency-Key: a\r\n"), 400);
  assert.equal(await stockOf(product.id), 3);
  assert.equal(await send(`Idempotency-Key: ${"x".repeat(255)}\r\n`), 201);
  assert.equal(await send(""), 201, "no operation requires a key");
});

test("B15 no step is skipped: an empty, a foreign and an ordered cart, and a step that the order is not at", async () => {
  const [ann, bob] = [await store.person(), await store.person()];
  const product = await store.product({ stock: 10 });
  assert.deepEqual((await checkout(ann, {})).json.error.code, "EMPTY_CART");
  const { authorization } = ann;
  await store.request("PUT", `/v1/users/me/cart/items/${product.id}`, { authorization, body: { quantity: 1 } });
  const foreign = await store.request("POST", `/v1/users/${ann.id}/orders`, {
    authorization: bob.authorization,
    body: {},
  });
  assert.equal(foreign.status, 404);
  const { json } = await checkout(ann, {});
  assert.equal((await checkout(ann, {})).json.error.code, "EMPTY_CART");
  for (const status of ["shipped", "delivered"]) assert.notEqual((await step(json.id, status, ann)).status, 200);
  assert.equal((await step(json.id, "delivered", admin)).status, 409);
  await store.settled();
  assert.equal((await step(json.id, "shipped", admin)).status, 200);
  assert.equal((await step(json.id, "cancelled", ann)).status, 409);
  assert.equal((await step(json.id, "cancelled", bob)).status, 404);
  assert.equal((await step(json.id, "cancelled", admin)).status, 409);
  await store.settled();
  assert.equal(await stockOf(product.id), 9);
});

test("B17 cancelled, shipped and confirmed at the same moment, an order ends in one state and its stock is right", async () => {
  const rounds = 60;
  const product = await store.product({ stock: rounds });
  const person = await store.person();
  const ended: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    const { json } = await checkout(person, { items: [aLine(product.id)] });
    // The confirmation is on its way meanwhile; every other round it has arrived.
    if (round % 2 === 0) await store.settled();
    const answers = await Promise.all([
      step(json.id, "cancelled", person),
      step(json.id, "shipped", admin),
      step(json.id, "cancelled", admin),
      store.clock.advance(100),
    ]);
    for (const answer of answers.slice(0, 3) as TestAnswer[])
      assert.ok([200, 409].includes(answer.status), answer.text);
    await store.settled();
    const { status } = (await store.request("GET", `/v1/orders/${json.id}`, { authorization: person.authorization }))
      .json;
    ended[status] = (ended[status] ?? 0) + 1;
  }
  const { cancelled = 0, shipped = 0 } = ended;
  assert.equal(cancelled + shipped, rounds, JSON.stringify(ended));
  assert.equal(await stockOf(product.id), rounds - shipped);
});
