// kill -9 of the whole store, and what the next start finds.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { TestAnswer } from "ashlar/testing";
import { createStoreFolder, eventually, type StoreProcess } from "./store-process.ts";

const folder = await createStoreFolder();
const limitsOff = { LIMIT_DEFAULT: "off", LIMIT_ANONYMOUS: "off", LIMIT_AUTH: "off" };
let store = await folder.start(limitsOff);
after(async () => {
  await folder.remove();
});

async function logIn(email: string): Promise<string> {
  const { json } = await store.request("POST", "/auth/login", { body: { email, password: "ashlar-demo" } });
  return `Bearer ${json.accessToken}`;
}

async function aProduct(stock: number): Promise<string> {
  const authorization = await logIn("admin@example.com");
  const { json } = await store.request("POST", "/v1/products", {
    authorization,
    body: { sku: `CRASH-${process.hrtime.bigint()}`, name: "Survivor", price: 10, currency: "EUR", stock },
  });
  return json.id;
}

const stockOf = async (id: string) => (await store.request("GET", `/v1/products/${id}`)).json.stock;
const checkout = (from: StoreProcess, authorization: string, productId: string, key: string) =>
  from.request("POST", "/v1/orders", {
    authorization,
    headers: { "idempotency-key": key },
    body: { items: [{ productId, quantity: 1 }] },
  });
const envelopes = async (...words: string[]) =>
  (await folder.cli("events", "list", "--limit", "1000", ...words)).stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

test("killed right after the 201 of a checkout, the store comes back with the order, its event handled once and the stock right", async () => {
  const productId = await aProduct(5);
  const authorization = await logIn("member@example.com");
  const placed = await checkout(store, authorization, productId, "before-the-cut");
  await store.kill();
  assert.equal(placed.status, 201);

  store = await folder.start(limitsOff);
  const again = await logIn("member@example.com");
  const order = () => store.request("GET", `/v1/orders/${placed.json.id}`, { authorization: again });
  await eventually(async () => (await order()).json.status === "confirmed");
  assert.equal(await stockOf(productId), 4);

  const retried = await checkout(store, again, productId, "before-the-cut");
  assert.deepEqual(
    [retried.status, retried.text, retried.headers.get("idempotent-replayed")],
    [201, placed.text, "true"],
  );
  assert.equal(await stockOf(productId), 4);

  const events = await envelopes("--aggregate", placed.json.id);
  assert.deepEqual(
    events.map(({ type }) => type),
    ["order.created", "stock.committed", "order.confirmed"],
  );
  assert.deepEqual(
    Object.keys(events[0]).filter((name) => name !== "traceparent"),
    ["id", "type", "aggregateId", "timestamp", "version", "data"],
  );
});

test("killed at any moment among checkouts, retries with the same keys lose nothing and double nothing", async () => {
  const rounds = [3, 15, 40, 80];
  for (const killAfterMs of rounds) {
    const productId = await aProduct(20);
    const authorization = await logIn("member@example.com");
    const keys = Array.from({ length: 20 }, (_, index) => `${productId}-${index}`);
    const answered = new Map<string, TestAnswer>();
    // The cut breaks some of these off: their clients do not know what became of the order.
    const attempts = keys.map((key) =>
      checkout(store, authorization, productId, key).then(
        (answer) => answered.set(key, answer),
        () => {},
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, killAfterMs));
    await store.kill();
    await Promise.all(attempts);

    store = await folder.start(limitsOff);
    const again = await logIn("member@example.com");
    for (const key of keys) {
      const { status, text } = await checkout(store, again, productId, key);
      assert.equal(status, 201, text);
      const before = answered.get(key);
      if (before?.status === 201) assert.equal(text, before.text);
    }
    const ids = new Set(
      await Promise.all(keys.map(async (key) => (await checkout(store, again, productId, key)).json.id)),
    );
    assert.equal(ids.size, 20);
    assert.equal(await stockOf(productId), 0);
    const mine = async () =>
      (await store.request("GET", "/v1/orders?limit=100", { authorization: again })).json.data as {
        id: string;
        status: string;
      }[];
    await eventually(
      async () => (await mine()).filter(({ id, status }) => ids.has(id) && status === "confirmed").length === 20,
    );
    assert.equal(await stockOf(productId), 0);
  }
});

test("a second store on the same folder refuses to start and says why; SIGTERM ends the first with code 0", async () => {
  await assert.rejects(folder.start(), /is using the data folder/);
  assert.equal(await store.stop(), 0);
  store = await folder.start(limitsOff);
});
