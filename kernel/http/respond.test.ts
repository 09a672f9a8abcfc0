import { deepEqual, equal, ok } from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { matchesWeak } from "./etag.ts";
import { parseAnswer, startServer } from "./raw-exchange.ts";
import { finalTag, notModified, send, type Answer } from "./respond.ts";

const large = JSON.stringify({ data: "Ashlar ".repeat(500) });

async function ask(context: TestContext, answer: Answer, lines = "", method = "GET", compress = true) {
  const { raw } = await startServer(context, (request, response, requestId) =>
    send(request, response, answer, { requestId, compress }),
  );
  return parseAnswer(
    await raw(`${method} / HTTP/1.1\r\nHost: x\r\nX-Request-Id: r1\r\n${lines}Connection: close\r\n\r\n`),
  );
}

test("G16 every answer carries the headers that protect it, and no name of the software", async (context) => {
  const { status, headers, body } = await ask(context, { status: 200, headers: { vary: "Accept" }, body: '{"ü":1}' });
  equal(status, 200);
  equal(headers.get("Content-Type"), "application/json; charset=utf-8");
  equal(headers.get("Content-Length"), "8");
  equal(headers.get("X-Content-Type-Options"), "nosniff");
  equal(headers.get("Content-Security-Policy"), "default-src 'none'; frame-ancestors 'none'");
  equal(headers.get("X-Request-Id"), "r1");
  equal(headers.get("Vary"), "Accept, Accept-Encoding");
  ok(headers.has("Date") && !headers.has("Server") && !headers.has("X-Powered-By"));
  equal(Buffer.from(body, "latin1").toString(), '{"ü":1}');
});

test("an answer may bring its own type and policy, and several lines of one header", async (context) => {
  const { raw } = await startServer(context, (request, response, requestId) => {
    const headers = {
      "content-type": "text/html",
      "content-security-policy": "default-src 'self'",
      link: ["<a>", "<b>"],
    };
    return send(request, response, { status: 200, headers, body: "<p>" }, { requestId });
  });
  const text = await raw("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  ok(text.includes("Content-Type: text/html\r\n") && text.includes("Link: <a>\r\nLink: <b>\r\n"));
  equal(text.split("Content-Security-Policy").length, 2);
  ok(text.includes("Content-Security-Policy: default-src 'self'\r\n"));
});

test("HEAD gets the headers of GET, compressed or not, and no body", async (context) => {
  const answer = { status: 200, headers: { etag: '"3"' }, body: large };
  for (const lines of ["", "Accept-Encoding: br\r\n"]) {
    const get = await ask(context, answer, lines);
    const head = await ask(context, answer, lines, "HEAD");
    get.headers.delete("Date");
    head.headers.delete("Date");
    deepEqual([...head.headers], [...get.headers]);
    equal(head.body, "");
    equal(Number(head.headers.get("Content-Length")), get.body.length);
  }
});

test("204 and 304 have neither body nor length, an empty 200 has length 0", async (context) => {
  for (const status of [204, 304]) {
    const { headers, body } = await ask(context, { status, headers: { etag: '"3"' }, body: "x" });
    equal(headers.has("Content-Length") || headers.has("Content-Type") || headers.has("Transfer-Encoding"), false);
    equal(body, "");
  }
  equal((await ask(context, { status: 200, headers: {} })).headers.get("Content-Length"), "0");
});

test("a large answer is compressed as asked, with a tag of its own", async (context) => {
  const answer = { status: 200, headers: { etag: '"3"' }, body: large };
  const br = await ask(context, answer, "Accept-Encoding: gzip, br\r\n");
  equal(br.headers.get("Content-Encoding"), "br");
  equal(br.headers.get("ETag"), '"3.br"');
  equal(br.headers.get("Vary"), "Accept-Encoding");
  equal(brotliDecompressSync(Buffer.from(br.body, "latin1")).toString(), large);
  const gzip = await ask(context, { ...answer, body: Buffer.from(large) }, "Accept-Encoding: gzip\r\n");
  equal(gzip.headers.get("ETag"), '"3.gzip"');
  equal(gunzipSync(Buffer.from(gzip.body, "latin1")).toString(), large);
});

test("small answers and those that opted out are sent as they are", async (context) => {
  const small = await ask(context, { status: 200, headers: { etag: '"3"' }, body: "{}" }, "Accept-Encoding: br\r\n");
  equal(small.headers.get("ETag"), '"3"');
  equal(small.body, "{}");
  const token = await ask(context, { status: 200, headers: {}, body: large }, "Accept-Encoding: br\r\n", "GET", false);
  equal(token.body, large);
  equal(token.headers.has("Vary"), false);
});

test("the tag known before sending is the tag that is sent, and gives a 304", async (context) => {
  const answer: Answer = {
    status: 200,
    headers: { etag: '"3"', vary: "Accept", "content-type": "application/json" },
    body: large,
  };
  const { raw } = await startServer(context, (request, response, requestId) => {
    const options = { requestId, compress: true };
    const tag = finalTag(request, answer, options)!;
    const known = matchesWeak(request.headers["if-none-match"] ?? '""', [tag]);
    return send(request, response, known ? notModified(answer, tag) : answer, options);
  });
  const get = (tag: string, coding: string) =>
    raw(
      `GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: ${coding}\r\nIf-None-Match: ${tag}\r\nConnection: close\r\n\r\n`,
    ).then(parseAnswer);
  const { status, headers } = await get('"3.br"', "br");
  equal(status, 304);
  equal(headers.get("ETag"), '"3.br"');
  equal(headers.get("Vary"), "Accept, Accept-Encoding");
  equal((await get('"3.br"', "gzip")).status, 200);
  equal((await get('"3"', "identity")).status, 304);
});

test("a second answer, or one to a client that left, is not sent and not an error", async (context) => {
  const { raw } = await startServer(context, async (request, response, requestId) => {
    await send(request, response, { status: 200, headers: {}, body: "1" }, { requestId });
    await send(request, response, { status: 500, headers: {}, body: "2" }, { requestId });
    response.destroy();
    await send(request, response, { status: 500, headers: {}, body: large }, { requestId, compress: true });
  });
  equal(parseAnswer(await raw("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).body, "1");
});
