// What is between the store and its clients: pages of other origins, and caches that many share.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore } from "./fixture.ts";
import { operations, type Reachable, setScene } from "./operations.ts";

const good = "https://good.example";
const store = await openStore({ settings: { corsOrigins: [good] } });
const scene = await setScene(store);
const { authorization } = scene.owner;
const [stranger, admin] = [await store.person(), await store.admin()];

const isForAnyone = ({ access }: Reachable) => access.includes("anyone");
const reads = operations.filter(({ method }) => method === "GET");
const isForAdmins = ({ access }: Reachable) => access.every((grant) => typeof grant === "object" && "role" in grant);

test("G11 only an origin on the list may read: no other is named, and never with credentials", async () => {
  const paths = [
    ...reads.map((operation) => scene.pathOf(operation)),
    "/health",
    "/openapi.json",
    "/nothing",
    "/auth/login",
  ];
  const strangers = [
    "https://evil.example",
    "null",
    "https://good.evil.com",
    "https://good.example.evil.com",
    "https://evilgood.example",
    "http://good.example",
    "https://good.example:8443",
    "https://GOOD.example",
    "https://good.example/",
    "https://a.good.example",
    `${good}, https://evil.example`,
    "*",
  ];
  for (const path of paths) {
    for (const method of ["GET", "OPTIONS"]) {
      for (const origin of strangers) {
        const preflight: Record<string, string> =
          method === "OPTIONS"
            ? { "access-control-request-method": "PUT", "access-control-request-headers": "authorization" }
            : {};
        const { headers } = await store.request(method, path, { authorization, headers: { origin, ...preflight } });
        const granted = [...headers.keys()].filter((name) => name.startsWith("access-control-"));
        assert.deepEqual(granted, [], `${method} ${path} for ${origin}`);
        assert.match(headers.get("vary")!, /\borigin\b/i, `${method} ${path}`);
      }
      const { headers } = await store.request(method, path, { authorization, headers: { origin: good } });
      assert.equal(headers.get("access-control-allow-origin"), good);
      assert.equal(headers.get("access-control-allow-credentials"), null);
      assert.match(headers.get("vary")!, /\borigin\b/i);
    }
  }
});

test("R13 R14 what a page of another origin can send without asking does nothing: there is no credential it would carry", async () => {
  const before = await scene.snapshot();
  const origins = ["https://evil.example", "null", ""];
  for (const operation of operations.filter(({ method, access }) => method === "POST" && !access.includes("anyone"))) {
    for (const origin of origins) {
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
        const headers = {
          "content-type": type,
          cookie: "session=x",
          "sec-fetch-site": "cross-site",
          ...(origin && { origin }),
        };
        const answer = await store.request("POST", scene.pathOf(operation), { headers, body: "{}" });
        assert.deepEqual([answer.status, answer.headers.get("set-cookie")], [401, null], operation.name);
      }
    }
  }
  assert.ok((await scene.snapshot()) === before, "rows were changed");
});

test("G12 what is private is kept by no shared cache, and depends on nothing but what Vary names", async () => {
  for (const operation of reads) {
    const as = isForAdmins(operation) ? admin.authorization : authorization;
    for (const [query, accept] of [
      ["", undefined],
      ["?fields=id", undefined],
      ["", "application/vnd.api+json;version=1"],
      ["", "application/json;q=0.5"],
    ] as const) {
      if (query !== "" && operation.resource === undefined) continue;
      const headers: Record<string, string> = { "accept-language": "de", ...(accept && { accept }) };
      const path = `${scene.pathOf(operation)}${query}`;
      const answer = await store.request("GET", path, { authorization: as, headers });
      assert.equal(answer.status, 200, `${path} ${answer.text}`);
      const policy = answer.headers.get("cache-control")!;
      if (isForAnyone(operation)) assert.equal(policy, "public, no-cache", path);
      else assert.match(policy, /\bprivate\b|\bno-store\b/, path);
      assert.doesNotMatch(policy, /max-age|s-maxage|immutable/);
      assert.match(answer.headers.get("vary")!, /\baccept\b/i);
      if (isForAnyone(operation)) continue;
      const tag = answer.headers.get("etag");
      // The tag of one person's copy gets nobody else a 304, nor anything of it.
      const conditional: Record<string, string> = tag === null ? {} : { "if-none-match": tag };
      const nobody = await store.request("GET", path, { headers: conditional });
      const other = await store.request("GET", path, { authorization: stranger.authorization, headers: conditional });
      assert.deepEqual([nobody.status, nobody.headers.get("etag")], [401, null], path);
      for (const { status, headers: of, text } of [nobody, other]) {
        assert.notEqual(status, 304, path);
        if (status >= 400) assert.equal(of.get("cache-control"), "no-store", path);
        assert.ok(!text.includes(scene.owner.id) || status === 200, path);
        assert.ok(!text.includes(scene.owner.email), path);
      }
    }
  }
});

test("G12 the same address read in turn by one person, another and nobody answers each their own", async () => {
  const paths = ["/v1/users/me", "/v1/orders", "/v1/users/me/cart", "/v1/users/me/sessions"];
  for (let round = 0; round < 3; round++) {
    for (const path of paths) {
      const [mine, theirs, nobodys] = await Promise.all([
        store.request("GET", path, { authorization }),
        store.request("GET", path, { authorization: stranger.authorization }),
        store.request("GET", path),
      ]);
      assert.deepEqual([mine.status, theirs.status, nobodys.status], [200, 200, 401], path);
      assert.ok(!theirs.text.includes(scene.owner.id) && !mine.text.includes(stranger.id), path);
      assert.notEqual(mine.text, theirs.text, path);
    }
  }
});

test("G13 headers that no cache keys on change no answer, and a private address has no public name", async () => {
  const plain = await store.request("GET", "/v1/products?limit=1");
  for (const name of [
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-original-url",
    "x-rewrite-url",
    "x-host",
  ]) {
    const poisoned = await store.request("GET", "/v1/products?limit=1", { headers: { [name]: "evil.test/v1/users" } });
    assert.deepEqual([poisoned.status, poisoned.text], [200, plain.text], name);
    assert.deepEqual(
      ["location", "link", "etag"].map((one) => poisoned.headers.get(one)),
      ["location", "link", "etag"].map((one) => plain.headers.get(one)),
    );
  }
  for (const query of ["utm_source=x", "utm=", "fbclid=1", "cb=1"])
    assert.equal((await store.request("GET", `/v1/products?${query}`)).status, 400, query);
  for (const ending of [
    "/x.css",
    ".css",
    ";x.css",
    "%3Bx.css",
    "%0Ax.css",
    "/..%2fx.css",
    "?x.css",
    "%23x.css",
    "/x.js",
  ]) {
    const { status, text } = await store.request("GET", `/v1/users/me${ending}`, { authorization });
    assert.ok(status === 404 || status === 400, `${ending} is ${status}`);
    assert.ok(!text.includes(scene.owner.email), ending);
  }
});
