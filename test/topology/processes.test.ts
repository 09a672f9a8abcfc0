// A store of many processes, looked at where they meet: what a service's own port lets in, what the gateway
// hands on, and what is left when one of them is gone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, moving } from "ashlar/testing";
import { operations } from "../security/operations.ts";
import { ask, openSide } from "./twin.ts";

const side = await openSide("split");
const { system } = side;
const password = "correct horse battery";
for (const name of ["ann", "admin"]) {
  const email = `${name}@example.com`;
  await ask(side, { actor: undefined, method: "POST", path: "/v1/users", body: { email, password, name } });
  if (name === "admin") await system.rows("identity", "update users set roles = '{admin}' where email = $1", [email]);
  const { json } = await ask(side, {
    actor: undefined,
    method: "POST",
    path: "/auth/login",
    body: { email, password },
  });
  side.actors.set(name, `Bearer ${json.accessToken}`);
}
const [asAnn, asAdmin] = ["ann", "admin"].map((name) => ({ authorization: side.actors.get(name)! })) as [
  { authorization: string },
  { authorization: string },
];
const portOf = (process: string) => createClient(system.processes.get(process)!.url);
const product = (name: string, more: object = {}) =>
  system.request("POST", "/v1/products", {
    ...asAdmin,
    body: { sku: name, name, price: 5, currency: "EUR", stock: 10, ...more },
  });

test("G02 Z09 the port of a service answers nobody but the gateway: 401 for every operation, with an admin's token and headers of any kind", async () => {
  const headers = {
    "x-user-id": "usr_01h455vb4pex5vsknk084sn02q",
    "x-user-roles": "admin",
    "x-forwarded-for": "127.0.0.1",
    "ashlar-peer": "a.b",
  };
  for (const { name, method, path, service } of operations) {
    const at = `/v1${path.replaceAll(/\{\w+\}/g, "x_01h455vb4pex5vsknk084sn02q")}`;
    for (const more of [{}, asAdmin, { ...asAdmin, headers }]) {
      const {
        status,
        json,
        headers: answered,
      } = await portOf(service).request(method, at, { ...more, ...(method === "GET" ? {} : { body: {} }) });
      assert.deepEqual([status, json.error.code], [401, "UNAUTHENTICATED"], name);
      assert.match(answered.get("www-authenticate")!, /^Bearer realm=/, name);
    }
  }
});

test("G02 what services ask of each other is answered to nobody else, at their ports and at the gateway", async () => {
  for (const process of ["gateway", "identity", "catalog", "orders"])
    for (const path of ["/.ashlar/calls/identity/identifyApiKey", "/.ashlar/events/catalog", "/.ashlar/x", "/.ashlar/"])
      for (const headers of [{}, { "ashlar-peer": "a.b" }] as Record<string, string>[]) {
        const { status, json } = await portOf(process).request("POST", path, { ...asAdmin, headers, body: [] });
        assert.ok([401, 404].includes(status), `${process} ${path} ${status}`);
        assert.equal(typeof json.error.code, "string");
      }
});

test("a body goes through whole up to its limit, and one that is too large is 413, however it is sent", async () => {
  const long = "x".repeat(5_000);
  const created = await product("LONG-1", { description: long });
  assert.deepEqual([created.status, created.json.description], [201, long]);
  for (const size of [1_100_000, 4_000_000]) {
    const tooLarge = await system.request("POST", "/v1/products", {
      ...asAdmin,
      body: JSON.stringify({ name: "x".repeat(size) }),
    });
    assert.deepEqual([tooLarge.status, tooLarge.json.error.code], [413, "PAYLOAD_TOO_LARGE"], String(size));
  }
  assert.equal(
    (await system.request("POST", "/v1/products", { body: JSON.stringify({ name: "x".repeat(4_000_000) }) })).status,
    401,
  );
});

test("an answer keeps its coding, its tag and its 304 on the way through the gateway", async () => {
  for (let made = 0; made < 15; made++) await product(`MANY-${made}`, { description: "d".repeat(200) });
  const first = await system.request("GET", "/v1/products", { headers: { "accept-encoding": "gzip" } });
  assert.deepEqual([first.status, first.headers.get("content-encoding"), first.json.data.length], [200, "gzip", 16]);
  const again = await system.request("GET", "/v1/products", {
    headers: { "accept-encoding": "gzip", "if-none-match": first.headers.get("etag")! },
  });
  assert.deepEqual([again.status, again.text, again.headers.get("etag")], [304, "", first.headers.get("etag")]);
});

test("without one service the others are served, its operations are 503 in the envelope, and health says so", async () => {
  const { json: mug } = await product("MUG-1");
  await system.settled();
  await system.processes.get("catalog")!.stop({ graceMs: 0 });
  const { status, json, headers } = await system.request("GET", "/v1/products");
  assert.deepEqual([status, json.error.code, headers.get("retry-after")], [503, "UNAVAILABLE", "1"]);
  // Orders tries again in a while.
  const order = await moving(
    system.clock,
    system.request("POST", "/v1/orders", { ...asAnn, body: { items: [{ productId: mug.id, quantity: 1 }] } }),
  );
  assert.deepEqual([order.status, order.json.error.code], [503, "UNAVAILABLE"]);
  assert.equal((await system.request("GET", "/v1/users/me", asAnn)).status, 200);
  assert.equal((await system.request("GET", "/v1/orders", asAnn)).status, 200);
  const health = await system.request("GET", "/health");
  assert.deepEqual([health.status, health.json.status, health.json.checks.database.status], [503, "unhealthy", "down"]);
  assert.doesNotMatch(health.text, /127\.0\.0\.1|catalog/);
  // Or one service that is down would take every gateway out of rotation.
  assert.equal((await system.request("GET", "/health/ready")).status, 200);
});
