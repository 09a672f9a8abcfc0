// The whole store in one process, through its public address.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openApi } from "ashlar/contract";
import { startTestSystem } from "ashlar/testing";
import { contracts, endedTokens, services } from "../store/services.ts";

const store = await startTestSystem({
  definition: { name: "store", title: "Store", version: "0.0.0", contracts, services, endedTokens },
});
const { request, settled } = store;

const password = "correct horse battery";
let registered = 0;

async function aCustomer() {
  const email = `customer${++registered}@example.com`;
  const { json: user } = await request("POST", "/v1/users", { body: { email, password, name: "A Customer" } });
  const { json: tokens } = await request("POST", "/auth/login", { body: { email, password } });
  return {
    id: user.id as string,
    email,
    authorization: `Bearer ${tokens.accessToken}`,
    refreshToken: tokens.refreshToken as string,
  };
}

async function anAdmin() {
  const { id, email } = await aCustomer();
  await store.rows("identity", "update users set roles = '{admin}' where email = $1", [email]);
  const { json } = await request("POST", "/auth/login", { body: { email, password } });
  return { id, authorization: `Bearer ${json.accessToken}` };
}

const admin = await anAdmin();

async function aProduct(stock = 10, price = 25) {
  const sku = `SKU-${++registered}`;
  const { json } = await request("POST", "/v1/products", {
    authorization: admin.authorization,
    body: { sku, name: "Thing", price, currency: "EUR", stock },
  });
  return json as { id: string; sku: string };
}

test("a customer registers, logs in, browses, fills a cart, checks out and reads the history", async () => {
  const product = await aProduct(4);
  const { id, authorization } = await aCustomer();
  const me = await request("GET", "/v1/users/me", { authorization });
  assert.deepEqual([me.status, me.json.id, me.json.role, me.json.version], [200, id, "member", 1]);
  const found = await request("GET", `/v1/products?sku=${product.sku}&priceMax=30`);
  assert.deepEqual([found.json.pagination.total, found.json.data[0].id], [1, product.id]);
  const cart = await request("PUT", `/v1/users/me/cart/items/${product.id}`, { authorization, body: { quantity: 2 } });
  assert.deepEqual([cart.json.total, cart.json.currency], [50, "EUR"]);
  const order = await request("POST", "/v1/orders", {
    authorization,
    body: { expectedTotal: 50 },
    headers: { "idempotency-key": "1" },
  });
  assert.equal(order.status, 201);
  await settled();
  const history = await request("GET", `/v1/users/${id}/orders`, { authorization });
  assert.deepEqual([history.json.data.length, history.json.data[0].status], [1, "confirmed"]);
  const items = await request("GET", `/v1/orders/${order.json.id}/items`, { authorization });
  assert.deepEqual([items.json.data[0].productId, items.json.data[0].lineTotal], [product.id, 50]);
  assert.equal((await request("GET", `/v1/products/${product.id}`)).json.stock, 2);
});

test("the specification's address of users, with /api and without a version, answers version 1", async () => {
  const { authorization } = admin;
  const [v1, api, plain] = await Promise.all(
    ["/v1/users?limit=1", "/api/users?limit=1", "/users?limit=1"].map((path) =>
      request("GET", path, { authorization }),
    ),
  );
  assert.equal(v1!.status, 200);
  assert.deepEqual([api!.json.data, plain!.json.data], [v1!.json.data, v1!.json.data]);
  const v2 = await request("GET", "/users?limit=1", {
    authorization,
    headers: { accept: "application/vnd.api+json;version=2" },
  });
  assert.deepEqual(
    [v2.headers.get("api-version"), Array.isArray(v2.json.data[0].roles), v2.json.data[0].role],
    ["2", true, undefined],
  );
});

test("deleting a user ends the sessions, empties the cart, cancels what is pending and gives its stock back", async () => {
  const product = await aProduct(6);
  const { id, authorization, email, refreshToken } = await aCustomer();
  await request("PUT", `/v1/users/me/cart/items/${product.id}`, { authorization, body: { quantity: 1 } });
  const order = await request("POST", "/v1/orders", {
    authorization,
    body: { items: [{ productId: product.id, quantity: 2 }] },
  });
  await settled();
  // Confirmed orders stand; a pending one is made so by hand, since events settle at once here.
  await store.rows("orders", "update orders set status = 'pending'");
  assert.equal((await request("DELETE", `/v1/users/${id}`, { authorization })).status, 204);
  assert.equal((await request("GET", "/v1/users/me", { authorization })).status, 401);
  assert.equal((await request("POST", "/auth/refresh", { body: { refreshToken } })).status, 401);
  assert.equal((await request("POST", "/auth/login", { body: { email, password } })).status, 401);
  await settled();
  const seen = await request("GET", `/v1/orders/${order.json.id}`, { authorization: admin.authorization });
  assert.equal(seen.json.status, "cancelled");
  assert.equal((await request("GET", `/v1/products/${product.id}`)).json.stock, 6);
  assert.deepEqual(
    await store.rows(
      "orders",
      "select 1 from cart_items where product_id is not null and user_id in (select user_id from orders where status = 'cancelled')",
    ),
    [],
  );
});

test("health tells what works, and the documents and keys are served", async () => {
  const health = await request("GET", "/health");
  assert.deepEqual(
    [health.status, health.json.status, Object.keys(health.json.checks)],
    [200, "healthy", ["database", "cache", "queue"]],
  );
  assert.ok(Object.values(health.json.checks).every((check) => (check as { status: string }).status === "up"));
  const documents = await Promise.all(
    ["/openapi.json", "/asyncapi.json", "/.well-known/jwks.json"].map((path) => request("GET", path)),
  );
  assert.deepEqual(
    documents.map(({ status }) => status),
    [200, 200, 200],
  );
  assert.deepEqual(
    [documents[0]!.json.openapi.slice(0, 3), documents[1]!.json.asyncapi.slice(0, 2), documents[2]!.json.keys[0].crv],
    ["3.1", "3.", "Ed25519"],
  );
  // The document that every answer of a test is compared with.
  const openapi = JSON.parse(JSON.stringify(openApi(contracts, { title: "Store", version: "0.0.0" })));
  assert.deepEqual(documents[0]!.json, openapi);
  assert.equal((await request("GET", "/docs")).headers.get("content-type"), "text/html; charset=utf-8");
  for (const path of ["/metrics", "/internal", "/v1/products/prices", "/stock/reservations", "/debug", "/v0/users"]) {
    assert.ok(
      [404, 405].includes((await request("POST", path, { authorization: admin.authorization, body: {} })).status),
      path,
    );
  }
});

test("an expired access token is 401 with its challenge, and changes nothing", async () => {
  const { authorization } = await aCustomer();
  const product = await aProduct(3);
  // Fifteen minutes of polling would only take time.
  for (const service of store.system.services.values()) await service.stop();
  await store.clock.advance(900_000);
  const refused = await request("POST", "/v1/orders", {
    authorization,
    body: { items: [{ productId: product.id, quantity: 1 }] },
  });
  assert.deepEqual(
    [refused.status, refused.headers.get("www-authenticate")],
    [401, 'Bearer realm="ashlar", error="invalid_token"'],
  );
  assert.equal((await request("GET", `/v1/products/${product.id}`)).json.stock, 3);
});
