// The edge: what a client writes around its request changes neither who it is nor where the request goes.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, test } from "node:test";
import { schemaOf } from "ashlar/contract";
import { openStore } from "./fixture.ts";
import { operations } from "./operations.ts";

const store = await openStore();
const [ann, admin] = [await store.person(), await store.admin()];
const asAnn = `Authorization: ${ann.authorization}\r\n`;
const asAdmin = `Authorization: ${admin.authorization}\r\n`;
const closing = "Host: x\r\nConnection: close\r\n";

/** Somebody who would be glad of a connection. */
let connections = 0;
const listener = createServer((socket) => socket.end()).on("connection", () => (connections += 1));
await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
after(() => listener.close());
const elsewhere = `127.0.0.1:${(listener.address() as { port: number }).port}`;

const statusesOf = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
const bodyOf = (text: string) => text.slice(text.lastIndexOf("\r\n\r\n") + 4);
const get = async (target: string, lines = "") => store.raw(`GET ${target} HTTP/1.1\r\n${closing}${lines}\r\n`);

test("G01 nobody becomes somebody else by a header, in any spelling, twice, or named in Connection", async () => {
  const names = [
    ...["X-User-Id", "X-User-Roles", "X-Internal-Token", "X-Request-Identity", "X-Forwarded-User", "Remote-User"],
    ...["x-user-id", "X_USER_ID", "x_user_roles", "X-Ashlar-Caller", "X-Authenticated-User", "X-Api-Key", "Proxy-User"],
  ];
  for (const name of names) {
    for (const value of [admin.id, "admin", admin.authorization, JSON.stringify({ sub: admin.id, roles: ["admin"] })]) {
      for (const lines of [`${name}: ${value}\r\n`, `${name}: ${value}\r\n`.repeat(2)]) {
        assert.deepEqual(statusesOf(await get("/v1/users/me", lines)), [401], name);
        const mine = await get("/v1/users/me", asAnn + lines);
        assert.deepEqual([statusesOf(mine), JSON.parse(bodyOf(mine)).id], [[200], ann.id], name);
        assert.deepEqual(statusesOf(await get("/v1/users", asAnn + lines)), [403], name);
      }
    }
    const named = `GET /v1/users HTTP/1.1\r\nHost: x\r\nConnection: close, ${name}\r\n${name}: admin\r\n${asAnn}\r\n`;
    assert.deepEqual(statusesOf(await store.raw(named)), [403], name);
  }
});

test("G05 a target with a host in it, an empty segment, a backslash or two Hosts is refused, and nobody is connected to", async () => {
  for (const target of [
    `//${elsewhere}/x`,
    `http://${elsewhere}/v1/products`,
    `https://${elsewhere}/`,
    `/\\${elsewhere}/`,
    `\\\\${elsewhere}\\x`,
    `/${elsewhere}@x/../..//`,
    `/v1//products`,
    `/http:/${elsewhere}//`,
    elsewhere,
    `*`,
    `/v1/products#x`,
    `/v1/products?a=1#//${elsewhere}`,
  ])
    assert.deepEqual(statusesOf(await get(target, asAdmin)), [400], target);
  for (const hosts of [
    `Host: ${elsewhere}\r\nHost: x\r\n`,
    `Host: x, ${elsewhere}\r\n`,
    `Host: x/${elsewhere}\r\n`,
    "Host: x@y\r\n",
  ])
    assert.deepEqual(
      statusesOf(await store.raw(`GET /v1/products HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`)),
      [400],
    );
  for (const line of ["X-Forwarded-Host", "X-Original-URL", "X-Rewrite-URL", "Forwarded", "X-Host"]) {
    const answer = await get("/v1/products?limit=1", `${line}: ${elsewhere}\r\n`);
    assert.deepEqual([statusesOf(answer), answer.includes(elsewhere)], [[200], false], line);
  }
  assert.deepEqual(statusesOf(await store.raw(`CONNECT ${elsewhere} HTTP/1.1\r\nHost: ${elsewhere}\r\n\r\n`)), [405]);
  assert.equal(connections, 0);
});

test("G06 a path that hides another one opens nothing: refused, not there, or the very answer of the plain path", async () => {
  const plain = bodyOf(await get("/v1/users?limit=1", asAdmin));
  const hidden = [
    ...["/v1/orders/%2e%2e/users", "/v1/orders/..%2fusers", "/v1/orders/%252e%252e/users", "/v1/orders/\\..\\users"],
    ...["/v1/orders/;/../users", "/v1/orders/../users", "/v1/orders/./../users", "/v1//users", "/v1/orders/..;/users"],
    ...["/v1/products/..%5cusers", "/v1/products/%c0%ae%c0%ae/users", "/v1/users%00", "/v1/users%2f", "/v1/users;x=1"],
    ...["/%761/users", "/v1/%75sers", "/v1/users/", "/V1/users", "/v1/USERS", "/v1/users%20", "/v1/users.json"],
    ...[
      "/api/%761/users",
      "/api/../v1/users",
      "/v1/products/../../internal",
      "/health/../v1/users",
      "/docs/..%2fv1/users",
    ],
  ];
  for (const path of hidden) {
    const [nobody] = statusesOf(await get(`${path}?limit=1`));
    assert.ok([400, 401, 404].includes(nobody!), `${path} is ${nobody} for nobody`);
    const [member] = statusesOf(await get(`${path}?limit=1`, asAnn));
    assert.ok([400, 403, 404].includes(member!), `${path} is ${member} for a member`);
    const text = await get(`${path}?limit=1`, asAdmin);
    const [status] = statusesOf(text);
    if (status === 200) assert.equal(bodyOf(text), plain, path);
    else assert.ok(status === 400 || status === 404, `${path} is ${status} for an admin`);
  }
});

test("G07 no operation takes an address to go to, so none can be sent to one", async () => {
  const words = /^(url|uri|href|redirect|callback|webhook|link|image|avatar|host|endpoint|next|returnTo)/i;
  const suspects = operations.flatMap(({ name, body, query, params, resource }) => {
    const shapes = [
      body,
      ...Object.values(query as object),
      ...Object.values(params as object),
      resource?.representation,
    ];
    const properties = shapes.flatMap((one) =>
      one === undefined ? [] : Object.entries(schemaOf(one).properties ?? {}),
    );
    return [...properties, ...Object.entries(query as object)]
      .filter(([key, schema]) => words.test(key) || /ur[il]/.test(String((schema as { format?: string }).format)))
      .map(([key]) => `${name}.${key}`);
  });
  assert.deepEqual(suspects, []);
  for (const name of ["redirect", "url", "next", "callback", "returnTo"])
    for (const address of [
      `http://${elsewhere}/`,
      "http://169.254.169.254/",
      "http://[::1]/",
      "http://0/",
      "//evil.test",
    ]) {
      const { status, headers } = await store.request("GET", `/v1/products?${name}=${encodeURIComponent(address)}`);
      assert.deepEqual([status, headers.get("location")], [400, null], name);
    }
  assert.equal(connections, 0);
});

const victim = `GET /health/live HTTP/1.1\r\n${closing}\r\n`;
const smuggled = "DELETE /v1/users/me HTTP/1.1\r\nHost: x\r\n";
const post = (lines: string, body: string) =>
  `POST /v1/orders HTTP/1.1\r\nHost: x\r\n${asAnn}Content-Type: application/json\r\n${lines}\r\n${body}`;

const smuggling: Record<string, string> = {
  "CL.TE": post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nG"),
  "TE.CL": post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n"),
  "TE.TE, the second hidden": post("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "0\r\n\r\n"),
  "TE.TE, the first hidden": post("Transfer-Encoding: x, chunked\r\n", "0\r\n\r\n"),
  "a tab before chunked": post("Transfer-Encoding:\tchunkedx\r\n", "0\r\n\r\n"),
  "a space before the colon": post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
  "two lengths that differ": post("Content-Length: 0\r\nContent-Length: 44\r\n", ""),
  "two lengths in one line": post("Content-Length: 0, 44\r\n", ""),
  "a signed length": post("Content-Length: +0\r\n", ""),
  "a length in hexadecimal": post("Content-Length: 0x2c\r\n", ""),
  "a length below nothing": post("Content-Length: -1\r\n", ""),
  "a chunk extension with a bare LF": post("Transfer-Encoding: chunked\r\n", "2;\nxx\r\n{}\r\n0\r\n\r\n"),
  "a chunk size with a bare LF": post("Transfer-Encoding: chunked\r\n", "2\n{}\r\n0\r\n\r\n"),
  "a chunk size with a sign": post("Transfer-Encoding: chunked\r\n", "+2\r\n{}\r\n0\r\n\r\n"),
  "a chunk size beyond 64 bits": post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff2\r\n{}\r\n0\r\n\r\n"),
  "a chunk longer than it says": post("Transfer-Encoding: chunked\r\n", "2\r\n{}x\r\n0\r\n\r\n"),
  "chunked in HTTP/1.0 with a length": post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "{}").replace(
    "1.1",
    "1.0",
  ),
  "a header that begins with white space": `GET /v1/products HTTP/1.1\r\n Host: x\r\nHost: x\r\n\r\n`,
  "a bare LF at the end of lines": `GET /v1/products HTTP/1.1\nHost: x\nA: b\n\n`,
  "a bare CR in the request line": `GET /v1/products\r HTTP/1.1\r\nHost: x\r\n\r\n`,
};

for (const [name, bytes] of Object.entries(smuggling)) {
  test(`G08 ${name}: refused, and what follows on the connection is not served`, async () => {
    const text = await store.raw(bytes + smuggled + asAnn + "\r\n" + victim);
    const statuses = statusesOf(text);
    assert.deepEqual(statuses, [400], text.slice(0, 300));
    assert.equal((await store.request("GET", "/v1/users/me", { authorization: ann.authorization })).status, 200);
  });
}

test("G08 a DELETE with a chunked body, and a body that looks like requests, leave the next request as it was sent", async () => {
  const chunk = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;
  const path = "/v1/orders/ord_01h455vb4pex5vsknk084sn02q";
  for (const [bytes, first] of [
    [`DELETE ${path} HTTP/1.1\r\nHost: x\r\n${asAnn}Transfer-Encoding: chunked\r\n\r\n${chunk}`, 405],
    [`GET /v1/products HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`, 200],
    [post(`Content-Length: ${smuggled.length}\r\n`, smuggled), 400],
    [post("Transfer-Encoding: chunked\r\n", chunk), 400],
    [`OPTIONS /v1/products HTTP/1.1\r\nHost: x\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`, 204],
  ] as const) {
    const text = await store.raw(bytes + victim);
    // Where a body was not read to its end, the connection ends with the answer.
    const served = statusesOf(text);
    assert.deepEqual(served, served.length === 1 ? [first] : [first, 200], bytes.slice(0, 60));
    if (served.length === 2) assert.equal(bodyOf(text), '{"status":"alive"}', bytes.slice(0, 60));
    else assert.match(text, /^connection: close\r$/im, bytes.slice(0, 60));
  }
  assert.equal((await store.request("GET", "/v1/users/me", { authorization: ann.authorization })).status, 200);
});

test("G08 each request of a connection is its own caller's: nothing of one is left for the next", async () => {
  const me = (lines: string, end = "") => `GET /v1/users/me HTTP/1.1\r\nHost: x\r\n${lines}${end}\r\n`;
  const text = await store.raw(me(asAnn) + me("") + me(asAdmin) + me("", "Connection: close\r\n"));
  assert.deepEqual(statusesOf(text), [200, 401, 200, 401]);
  assert.deepEqual(
    [...text.matchAll(/"id":"(usr_\w+)"/g)].map(([, id]) => id),
    [ann.id, admin.id],
  );
});

test("G09 no protocol is switched to, with a token or without", async () => {
  for (const lines of ["", asAdmin]) {
    for (const offer of ["websocket", "WebSocket", "TLS/1.0", "h2", "foo/1, websocket"]) {
      const upgrade = `Connection: Upgrade, close\r\nUpgrade: ${offer}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n`;
      const text = await store.raw(`GET /v1/users/me HTTP/1.1\r\nHost: x\r\n${upgrade}${lines}\r\n`);
      assert.deepEqual(statusesOf(text), [400], offer);
    }
  }
  // Java and curl offer h2c with every plain request, and are content with HTTP/1.1.
  const h2c = "Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
  const offered = (lines: string) => store.raw(`GET /v1/users/me HTTP/1.1\r\nHost: x\r\n${h2c}${lines}\r\n`);
  assert.deepEqual(statusesOf(await offered("")), [401]);
  const text = await offered(asAnn);
  assert.deepEqual([statusesOf(text), /^upgrade/im.test(text.split("\r\n\r\n")[0]!)], [[200], false]);
  assert.deepEqual(statusesOf(await store.raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")), [400]);
});

test("G10 Authorization named in Connection, or in Trailer, is not lost and not made up", async () => {
  for (const name of ["authorization", "Authorization", "AUTHORIZATION, Host, Cookie"]) {
    const head = `GET /v1/users/me HTTP/1.1\r\nHost: x\r\nConnection: close, ${name}\r\n`;
    assert.deepEqual(statusesOf(await store.raw(`${head}\r\n`)), [401], name);
    assert.deepEqual(statusesOf(await store.raw(`${head}${asAnn}\r\n`)), [200], name);
    assert.deepEqual(statusesOf(await store.raw(`${head.replace("/me", "")}${asAnn}\r\n`)), [403], name);
  }
  const trailed = `PATCH /v1/users/me HTTP/1.1\r\n${closing}Content-Type: application/json\r\nTrailer: Authorization\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n${asAnn}\r\n`;
  assert.deepEqual(statusesOf(await store.raw(trailed)), [401]);
});
