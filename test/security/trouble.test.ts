// What a client learns when something breaks inside (nothing but an id), and what goes on meanwhile (everything else).

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestAnswer } from "ashlar/testing";
import { openStore, type OpenStore } from "./fixture.ts";
import { captureLog } from "./log.ts";

const log = captureLog("info");
const store = await openStore({ log: log.logger });

/** A 500 or 503 in the envelope that names its request and nothing of what is inside; its cause is in the log. */
function isSilent({ status, headers, json, text }: TestAnswer, expected: number): void {
  assert.equal(status, expected, text);
  assert.deepEqual(Object.keys(json), ["error"]);
  assert.deepEqual(Object.keys(json.error), ["code", "message", "details"]);
  assert.deepEqual(json.error.details, []);
  assert.equal(headers.get("cache-control"), "no-store");
  const inside =
    /relation|does not exist|select|insert|42P01|products|stack|\bat \w|node_modules|\.ts|\/tmp|127\.0\.0\.1|localhost|postgres|v?\d+\.\d+\.\d+/i;
  assert.doesNotMatch(text, inside);
  for (const name of ["server", "x-powered-by", "x-aspnet-version", "via"]) assert.equal(headers.get(name), null, name);
  const requestId = headers.get("x-request-id")!;
  const lines = log.lines().filter((line) => line.requestId === requestId);
  assert.ok(
    lines.some(({ level, err }) => level === "error" || level === "warn" || err !== undefined),
    requestId,
  );
}

/** A table that is not there while `act` runs. */
async function without(of: OpenStore, service: string, table: string, act: () => Promise<void>): Promise<void> {
  await of.rows(service, `alter table ${table} rename to gone_${table}`);
  try {
    await act();
  } finally {
    await of.rows(service, `alter table gone_${table} rename to ${table}`);
  }
}

test("G16 S04 when a statement fails, every method answers 500 with an id and nothing of what is inside; then all is well again", async () => {
  const [admin, product] = [await store.admin(), await store.product()];
  const { authorization } = admin;
  const body = { sku: "X-1", name: "x", price: 1, currency: "EUR", stock: 1 };
  await without(store, "catalog", "products", async () => {
    for (const answer of [
      await store.request("GET", "/v1/products"),
      await store.request("GET", `/v1/products/${product.id}`),
      await store.request("POST", "/v1/products", { authorization, body }),
      await store.request("DELETE", `/v1/products/${product.id}`, { authorization, headers: { "if-match": "*" } }),
      // Two services away from what is broken.
      await store.request("POST", "/v1/orders", {
        authorization,
        body: { items: [{ productId: product.id, quantity: 1 }] },
      }),
    ])
      isSilent(answer, 500);
    const problem = await store.request("GET", "/v1/products", { headers: { accept: "application/problem+json" } });
    assert.deepEqual([problem.status, problem.json.code], [500, "INTERNAL"]);
    assert.doesNotMatch(problem.text, /relation|products"/);
    assert.equal((await store.request("GET", "/v1/users/me", { authorization })).status, 200);
  });
  assert.equal((await store.request("GET", `/v1/products/${product.id}`)).status, 200);
  assert.match(log.text(), /relation \\"products\\" does not exist/, "the log knows why");
});

test("S04 a subscriber that throws is logged and asked again, and the process serves on", async () => {
  const person = await store.person();
  const { authorization } = person;
  const { id } = await store.product();
  await store.request("PUT", `/v1/users/me/cart/items/${id}`, { authorization, body: { quantity: 1 } });
  const inCart = () => store.rows("orders", "select 1 from cart_items where product_id is not null");
  const before = (await inCart()).length;
  const failed = () => log.lines().filter(({ level, service }) => level !== "info" && service === "orders");
  const known = failed().length;
  await without(store, "orders", "cart_items", async () => {
    assert.equal((await store.request("DELETE", "/v1/users/me", { authorization })).status, 204);
    for (let round = 0; round < 200 && failed().length === known; round++) await store.clock.advance(100);
    assert.ok(failed().length > known, "the failure is in the log");
    assert.equal((await store.request("GET", "/v1/products")).status, 200);
  });
  await store.settled();
  assert.equal((await inCart()).length, before - 1);
});

test("S04 a job that throws is logged and runs again, and the process serves on", async () => {
  const failed = () => log.lines().filter(({ job, level }) => job !== undefined && level !== "info");
  const known = failed().length;
  await without(store, "identity", "sessions", async () => {
    for (let round = 0; round < 600 && failed().length === known; round++) await store.clock.advance(1_000);
    assert.ok(failed().length > known, "the failure is in the log");
    assert.equal((await store.request("GET", "/v1/products")).status, 200);
  });
  const person = await store.person();
  assert.equal((await store.request("GET", "/v1/users/me", { authorization: person.authorization })).status, 200);
});

test("S12 health says what works and how long it took, and names no host, folder, engine or table", async () => {
  for (const authorization of [undefined, (await store.admin()).authorization]) {
    const { status, json, headers } = await store.request("GET", "/health", authorization ? { authorization } : {});
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(json), ["status", "version", "timestamp", "checks"]);
    // The version is that of the app, as the specification asks for, and not of anything below it.
    assert.equal(json.version, "0.0.0");
    assert.deepEqual(Object.keys(json.checks), ["database", "cache", "queue"]);
    for (const check of Object.values(json.checks))
      assert.deepEqual(Object.keys(check as object), ["status", "latency"]);
    assert.equal(headers.get("cache-control"), "no-store");
  }
  for (const [path, answer] of [
    ["/health/live", { status: "alive" }],
    ["/health/ready", { status: "ready" }],
  ] as const)
    assert.deepEqual((await store.request("GET", path)).json, answer);
  for (const path of ["/health/db", "/health/details", "/health/env", "/health?verbose=1&details=1"])
    assert.doesNotMatch((await store.request("GET", path)).text, /postgres|127\.0\.0\.1|localhost|\/tmp/, path);
});

test("G16 S12 a service whose database is gone answers 503 without a name, health says so, and the others serve on", async () => {
  await store.system.services.get("catalog")!.stop();
  await store.system.services.get("catalog")!.parts.database.close();
  // For a second, what is cached is served still.
  await store.clock.advance(1_000);
  isSilent(await store.request("GET", "/v1/products"), 503);
  const health = await store.request("GET", "/health");
  assert.deepEqual([health.status, health.json.status, health.json.checks.database.status], [503, "unhealthy", "down"]);
  assert.doesNotMatch(health.text, /catalog|postgres|127\.0\.0\.1|closed/);
  assert.equal((await store.request("GET", "/health/live")).status, 200);
  const person = await store.person();
  assert.equal((await store.request("GET", "/v1/orders", { authorization: person.authorization })).status, 200);
});
