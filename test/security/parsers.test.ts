// What is no acceptable JSON, text or media type, at every operation that reads a body, and in every path.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestAnswer } from "ashlar/testing";
import { openStore } from "./fixture.ts";
import { operations, type Reachable, setScene } from "./operations.ts";

const store = await openStore();
const scene = await setScene(store);
const admin = await store.admin();

const isForAdmins = ({ access }: Reachable) =>
  access.every((grant) => typeof grant === "object" && "role" in grant) || access.includes("anyone");
const callerOf = (operation: Reachable) => (isForAdmins(operation) ? admin : scene.owner);
const readers = operations.filter(
  ({ body, action }) => body !== undefined || ["create", "bulk", "replace", "update"].includes(action ?? ""),
);

function send(operation: Reachable, body: string | Uint8Array, headers: Record<string, string> = {}) {
  const { authorization } = callerOf(operation);
  const condition: Record<string, string> = operation.method === "POST" ? {} : { "if-match": "*" };
  const all = { "content-type": "application/json", ...condition, ...headers };
  return store.request(operation.method, scene.pathOf(operation), { authorization, body, headers: all });
}

/** The same answer from every operation that reads a body, and nothing changed by any. */
async function everywhere(
  body: string | Uint8Array,
  check: (answer: TestAnswer, operation: Reachable) => void,
  headers?: Record<string, string>,
): Promise<void> {
  for (const operation of readers) check(await send(operation, body, headers), operation);
}

const malformed = ({ status, json }: TestAnswer, { name }: Reachable) =>
  assert.deepEqual([status, json.error.code], [400, "MALFORMED_JSON"], name);

const bytes = (text: string) => Buffer.from(text, "latin1");

test("N04 a body that names a prototype is refused everywhere, however deep, and pollutes nothing", async () => {
  const before = await scene.snapshot();
  for (const body of [
    '{"__proto__":{"polluted":1}}',
    '{"\\u005f_proto__":{"polluted":1}}',
    '{"items":[{"__proto__":{"polluted":1}}]}',
    '{"a":{"b":{"__proto__":{"polluted":1}}}}',
  ])
    await everywhere(body, malformed);
  // An ordinary name to JSON, and one that no contract knows.
  for (const body of ['{"constructor":{"prototype":{"polluted":1}}}', '{"prototype":{"polluted":1},"toString":1}'])
    await everywhere(body, ({ status, json }, { name }) =>
      assert.deepEqual([status, json.error.code], [400, "VALIDATION_ERROR"], name),
    );
  for (const operation of operations.filter(({ method }) => method === "GET")) {
    const { authorization } = callerOf(operation);
    for (const query of ["a[__proto__][polluted]=1", "__proto__[polluted]=1", "__proto__=1", "constructor=1"]) {
      const { status } = await store.request("GET", `${scene.pathOf(operation)}?${query}`, { authorization });
      assert.equal(status, 400, `${operation.name} ${query}`);
    }
  }
  // The store runs in this very process.
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  assert.ok((await scene.snapshot()) === before, "rows were changed");
});

test("N06 NUL in any text, name or parameter is 400, and never reaches a database", async () => {
  const before = await scene.snapshot();
  for (const operation of readers) {
    const names = ["name", "email", "password", "refreshToken", "sku", "description", "currency", "token", "scopes"];
    for (const name of names) malformed(await send(operation, JSON.stringify({ [name]: "a\0b" })), operation);
    malformed(await send(operation, '{"a\\u0000":1}'), operation);
    malformed(await send(operation, bytes('{"a":"\0"}')), operation);
  }
  for (const operation of operations) {
    const { authorization } = callerOf(operation);
    for (const nul of ["%00", "x%00", "%2500"]) {
      const path = scene.pathOf(operation).replace(/[^/]+$/, (last) => last + nul);
      const { status } = await store.request(operation.method, path, { authorization });
      assert.ok(status === 400 || status === 404 || status === 405, `${operation.method} ${path} is ${status}`);
    }
    if (operation.method !== "GET") continue;
    for (const query of ["q=%00", "sort=%00", "fields=id%00", "%00=1", "cursor=%00", "limit=1%00"]) {
      const { status } = await store.request("GET", `${scene.pathOf(operation)}?${query}`, { authorization });
      assert.equal(status, 400, `${operation.name} ${query}`);
    }
  }
  assert.ok((await scene.snapshot()) === before, "rows were changed");
});

test("N07 text that is no Unicode is refused everywhere", async () => {
  for (const body of [
    '{"name":"\\ud800"}',
    '{"name":"\\udc00\\ud800"}',
    bytes('{"name":"\xff"}'),
    bytes('{"name":"\xc0\xaf"}'),
    bytes('{"name":"\xed\xa0\x80"}'),
    bytes('{"name":"\xf4\x90\x80\x80"}'),
    "\ufeff{}",
    Buffer.from('{"name":"x"}', "utf16le"),
  ])
    await everywhere(body, malformed);
});

test("N07 every other text comes back as it was sent, at each service", async () => {
  const odd = "\u202eevil\u202c \u{1F600} e\u0301\u00e9 \ufeff \u200d\u{10FFFF} \u0001\u007f <b>'\"\\%_$1;--";
  const { authorization } = scene.owner;
  const named = await store.request("PATCH", `/v1/users/${scene.owner.id}`, { authorization, body: { name: odd } });
  assert.equal(named.json.name, odd);
  assert.equal((await store.request("GET", "/v1/users/me", { authorization })).json.name, odd);
  const product = { sku: "ODD-1", name: odd, description: odd, price: 1, currency: "EUR", stock: 1 };
  const made = await store.request("POST", "/v1/products", { authorization: admin.authorization, body: product });
  assert.deepEqual([made.json.name, made.json.description], [odd, odd]);
  const body = { items: [{ productId: made.json.id, quantity: 1 }] };
  const order = await store.request("POST", "/v1/orders", { authorization, body });
  assert.equal(order.json.items[0].name, odd);
});

test("N08 a key that comes twice in a body is refused everywhere, spelled alike or not, at any depth", async () => {
  for (const body of [
    '{"name":"a","name":"a"}',
    '{"name":"a","n\\u0061me":"b"}',
    '{"items":[{"quantity":1,"quantity":2}]}',
    '{"email":"a@example.com","password":"x","email":"b@example.com"}',
  ])
    await everywhere(body, malformed);
});

test("N08 a body on GET is not read, by no operation, and the next request on the connection is the next request", async () => {
  for (const operation of operations.filter(({ method }) => method === "GET")) {
    const { authorization } = callerOf(operation);
    const head = `Host: x\r\nAuthorization: ${authorization}\r\n`;
    const smuggled = "DELETE /v1/users/me HTTP/1.1\r\n";
    const length = `Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`;
    const text = await store.raw(
      `GET ${scene.pathOf(operation)} HTTP/1.1\r\n${head}${length}GET /health/live HTTP/1.1\r\n${head}Connection: close\r\n\r\n`,
    );
    assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 200"], operation.name);
    assert.ok(text.endsWith('{"status":"alive"}'), operation.name);
  }
});

test("N09 a number is a number: nothing of another type is taken for one, nowhere", async () => {
  const before = await scene.snapshot();
  const { authorization } = scene.owner;
  const mine = await store.product();
  const cart = (quantity: string) =>
    store.request("PUT", `/v1/users/me/cart/items/${mine.id}`, {
      authorization,
      body: `{"quantity":${quantity}}`,
      headers,
    });
  const headers = { "content-type": "application/json" };
  const price = (value: string) =>
    store.request("PATCH", `/v1/products/${mine.id}`, {
      authorization: admin.authorization,
      body: `{"price":${value}}`,
      headers: { ...headers, "if-match": "*" },
    });
  for (const wrong of ['"1"', "true", "[1]", "{}", "null", '""', "[]", '{"$gt":0}', "1.001", "-1"]) {
    assert.equal((await cart(wrong)).status, 400, wrong);
    assert.equal((await price(wrong)).status, 400, wrong);
    const order = `{"items":[{"productId":"${mine.id}","quantity":${wrong}}]}`;
    assert.equal(
      (await store.request("POST", "/v1/orders", { authorization, body: order, headers })).status,
      400,
      wrong,
    );
  }
  const unchanged = JSON.parse(await scene.snapshot()) as unknown[][];
  const then = JSON.parse(before) as unknown[][];
  for (const table of [4, 5]) assert.deepEqual(unchanged[table], then[table]);
  // The same number, spelled otherwise.
  for (const one of ["1", "1.0", "1e0", "10e-1"]) assert.equal((await cart(one)).json.items[0].quantity, 1, one);
});

test("N10 a body that does not call itself JSON in UTF-8 is 415 everywhere, whatever it holds", async () => {
  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "application/json;charset=iso-8859-1",
    "application/\tjson",
    "application/json, text/html",
    "application/jsonp",
    "text/json",
    "*/*",
    "json",
  ])
    await everywhere(
      "{}",
      ({ status, json }, { name }) =>
        assert.deepEqual([status, json.error.code], [415, "UNSUPPORTED_MEDIA_TYPE"], `${name} ${type}`),
      { "content-type": type },
    );
  for (const encoding of ["gzip", "br", "deflate", "gzip, identity", "x"])
    await everywhere("{}", ({ status }, { name }) => assert.equal(status, 415, `${name} ${encoding}`), {
      "content-encoding": encoding,
    });
  await everywhere("{}", ({ status }, { name }) => assert.notEqual(status, 415, name), {
    "content-type": 'Application/JSON; charset="UTF-8"',
  });
});

test("N13 an id with line breaks, braces, stars, spaces or a kilobyte is an address that is not there", async () => {
  const odd = ["%0d%0aSET%20x%201", "{x}", "*", "%20", "a:b:c", "x".repeat(1_000), "%25", "🦆", "'--", "[0]", "null"];
  for (const operation of operations.filter(({ path }) => path.includes("{"))) {
    const { authorization } = callerOf(operation);
    for (const id of odd) {
      const path = `/v1${operation.path.replaceAll(/\{\w+\}/g, encodeURI(id).replaceAll("%25", "%"))}`;
      const { status } = await store.request(operation.method, path, { authorization });
      assert.ok(status === 404 || status === 400 || status === 403, `${operation.method} ${path} is ${status}`);
    }
  }
  const long = await store.request("GET", `/v1/products/${"x".repeat(10_000)}`);
  assert.equal(long.status, 414);
});

test("N14 headers with CR, LF or NUL, too many or too large are refused before anybody reads them", async () => {
  const status = async (lines: string) => {
    const text = await store.raw(`GET /v1/products HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines}\r\n`);
    assert.equal(text.match(/HTTP\/1\.1 \d+/g)!.length, 1, lines.slice(0, 40));
    assert.doesNotMatch(text, /^injected/im);
    return Number(text.split(" ")[1]);
  };
  for (const value of ["a\0b", "a\rb", "a\rInjected: 1", "a\n\nb", "a\u0001b"])
    for (const name of ["X-Request-Id", "Accept", "User-Agent", "Traceparent", "If-None-Match"])
      assert.equal(await status(`${name}: ${value}\r\n`), 400, `${name} ${JSON.stringify(value)}`);
  assert.equal(await status("A: b\r\n".repeat(100)), 431);
  assert.equal(await status(`A: ${"a".repeat(16 * 1024)}\r\n`), 431);
  assert.equal(await status("A: b\r\n".repeat(90)), 200);
  assert.equal(await status(`A: ${"a".repeat(8 * 1024)}\r\n`), 200);
});
