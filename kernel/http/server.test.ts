import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock, silentLogger, type Logger } from "../base/index.ts";
import { parseAnswer, startServer } from "./raw-exchange.ts";
import { send } from "./respond.ts";
import type { HttpHandler } from "./server-state.ts";

const hello: HttpHandler = (request, response, requestId) =>
  send(request, response, { status: 200, headers: {}, body: `"${request.url}"` }, { requestId });

const hang: HttpHandler = (_request, response) => new Promise((resolve) => void response.on("close", resolve));

const close = "Host: x\r\nConnection: close\r\n";

function refusal(text: string): string {
  const { status, headers, body } = parseAnswer(text);
  const { error } = JSON.parse(body) as { error: { code: string; details: unknown[] } };
  deepEqual(error.details, []);
  equal(headers.get("Content-Length"), String(body.length));
  equal(headers.get("Content-Type"), "application/json; charset=utf-8");
  equal(headers.get("Cache-Control"), "no-store");
  ok(headers.has("X-Request-Id") && headers.has("Date"));
  return `${status} ${error.code}`;
}

const bad = "400 BAD_REQUEST";
const hostile: [name: string, bytes: string, expected: string][] = [
  ["garbage", "\x16\x03\x01\x02garbage\r\n\r\n", bad],
  ["an unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", bad],
  ["a lower-case method", "get / HTTP/1.1\r\nHost: x\r\n\r\n", bad],
  ["no version", "GET /\r\n\r\n", bad],
  ["HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", bad],
  ["the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", bad],
  ["a NUL in a header", "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", bad],
  ["a bare CR in a header", "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", bad],
  ["a space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", bad],
  ["a folded header", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", bad],
  ["no Host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", bad],
  ["two Hosts", `GET / HTTP/1.1\r\nHost: y\r\n${close}\r\n`, bad],
  ["a Host that is none", "GET / HTTP/1.1\r\nHost: a/b@c\r\nConnection: close\r\n\r\n", bad],
  ["two Authorizations", `GET / HTTP/1.1\r\n${close}Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n`, bad],
  [
    "both lengths",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    bad,
  ],
  ["two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", bad],
  ["a signed length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", bad],
  [
    "a coding hidden behind another",
    `POST / HTTP/1.1\r\n${close}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    bad,
  ],
  ["a misspelt coding", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", bad],
  ["a WebSocket upgrade", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n", bad],
  ["CONNECT", "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n", "405 METHOD_NOT_ALLOWED"],
  ["a header bomb", `GET / HTTP/1.1\r\nHost: x\r\nA: ${"a".repeat(200_000)}\r\n\r\n`, "431 HEADERS_TOO_LARGE"],
  ["a request line bomb", `GET /${"a".repeat(200_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, "431 HEADERS_TOO_LARGE"],
  ["a hundred and one headers", `GET / HTTP/1.1\r\n${close}${"A: b\r\n".repeat(99)}\r\n`, "431 HEADERS_TOO_LARGE"],
];

for (const [name, bytes, expected] of hostile) {
  test(`G08 N14 ${name} gets the envelope and a closed connection, and the server lives`, async (context) => {
    const { raw } = await startServer(context, hello);
    const text = await raw(bytes);
    equal(refusal(text), expected);
    equal(parseAnswer(text).headers.get("Connection"), "close");
    equal(text.split("HTTP/1.1 ").length, 2);
    equal(parseAnswer(await raw(`GET /next HTTP/1.1\r\n${close}\r\n`)).body, '"/next"');
  });
}

test("G09 an offer of h2c, an unknown expectation and HTTP/1.0 without Host are served as HTTP/1.1", async (context) => {
  const { raw } = await startServer(context, hello);
  const offers = "Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
  equal(parseAnswer(await raw(`GET /a HTTP/1.1\r\nHost: x\r\n${offers}\r\n`)).body, '"/a"');
  equal(parseAnswer(await raw(`GET /b HTTP/1.1\r\n${close}Expect: coffee\r\n\r\n`)).body, '"/b"');
  equal(parseAnswer(await raw("GET /c HTTP/1.0\r\n\r\n")).body, '"/c"');
});

test("a client that ends its side after the request still gets its answer", async (context) => {
  const { open } = await startServer(context, async (request, response, requestId) => {
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    await hello(request, response, requestId);
  });
  const { socket, closed, text } = open();
  socket.end("GET /half HTTP/1.1\r\nHost: x\r\n\r\n");
  await closed;
  equal(parseAnswer(text()).body, '"/half"');
});

test("G08 what comes behind a request that was refused as HTTP reaches no handler, and the connection ends", async (context) => {
  const reached: string[] = [];
  const noting: HttpHandler = (request, response, requestId) => {
    reached.push(request.url!);
    return hello(request, response, requestId);
  };
  const { raw } = await startServer(context, noting);
  for (const [refused, behind] of [
    ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n", "/behind-a-coding"],
    ["GET / HTTP/1.1\r\n\r\n", "/behind-no-host"],
    ["GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "/behind-two-hosts"],
  ] as const) {
    const text = await raw(`${refused}GET ${behind} HTTP/1.1\r\nHost: x\r\n\r\n`);
    deepEqual(
      [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status),
      ["400"],
      behind,
    );
    match(text, /^connection: close\r$/im, behind);
  }
  deepEqual(reached, []);
});

test("G08 pipelined requests are answered in order, and broken bytes after them last", async (context) => {
  const gate = Promise.withResolvers<void>();
  const { raw } = await startServer(context, async (request, response, requestId) => {
    if (request.url === "/1") await gate.promise;
    else setImmediate(gate.resolve);
    await hello(request, response, requestId);
  });
  const text = await raw("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nNONSENSE\r\n\r\n");
  match(text, /^HTTP\/1\.1 200 [^]*"\/1"HTTP\/1\.1 200 [^]*"\/2"HTTP\/1\.1 400 [^]*BAD_REQUEST/);
});

test("G08 a broken chunk is answered in place of the request it belongs to, once", async (context) => {
  const { raw } = await startServer(
    context,
    (request, response, requestId) =>
      new Promise((resolve) => {
        request.resume();
        response.on("close", () => {
          void hello(request, response, requestId);
          resolve();
        });
      }),
    { limits: { lingerMs: 20 } },
  );
  const text = await raw(
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
  );
  equal(refusal(text), bad);
  ok(!text.includes("smuggled"));
});

test("more requests ahead on one connection than the bound get 503", async (context) => {
  const gate = Promise.withResolvers<void>();
  const handle: HttpHandler = async (request, response, requestId) => {
    await gate.promise;
    await hello(request, response, requestId);
  };
  const { open } = await startServer(context, handle, { limits: { pipelinedMax: 2 } });
  const { socket, closed, text } = open();
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3) + `GET / HTTP/1.1\r\n${close}\r\n`);
  await new Promise((resolve) => setImmediate(resolve));
  gate.resolve();
  await closed;
  deepEqual(text().match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 503", "HTTP/1.1 503"]);
});

test("more requests in flight than the bound get 503 with Retry-After, and service resumes", async (context) => {
  const started = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const handle: HttpHandler = async (request, response, requestId) => {
    if (request.url === "/slow") {
      started.resolve();
      await gate.promise;
    }
    await hello(request, response, requestId);
  };
  const { raw, server } = await startServer(context, handle, { limits: { inFlightMax: 1 } });
  const slow = raw(`GET /slow HTTP/1.1\r\n${close}\r\n`);
  await started.promise;
  equal(server.inFlight(), 1);
  const busy = await raw(`GET /busy HTTP/1.1\r\n${close}\r\n`);
  equal(refusal(busy), "503 UNAVAILABLE");
  equal(parseAnswer(busy).headers.get("Retry-After"), "1");
  gate.resolve();
  equal(parseAnswer(await slow).status, 200);
  equal(parseAnswer(await raw(`GET /again HTTP/1.1\r\n${close}\r\n`)).status, 200);
});

test("a client that is slow with its first byte, its headers or its body gets 408", async (context) => {
  const limits = { headersTimeoutMs: 40, requestTimeoutMs: 60, checkIntervalMs: 10, lingerMs: 20 };
  const { raw } = await startServer(context, hang, { limits });
  for (const bytes of [
    "",
    "GET / HT",
    "GET / HTTP/1.1\r\nHost: x\r\nA: b",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
  ]) {
    equal(refusal(await raw(bytes)), "408 REQUEST_TIMEOUT", JSON.stringify(bytes));
  }
});

test("a client that does not read its answer is cut", async (context) => {
  const clock = createManualClock();
  const waiting = Promise.withResolvers<void>();
  const slowClock = {
    ...clock,
    sleep: (ms: number, signal?: AbortSignal) => (waiting.resolve(), clock.sleep(ms, signal)),
  };
  const body = "x".repeat(32 * 1024 * 1024);
  const handle: HttpHandler = (request, response, requestId) =>
    send(request, response, { status: 200, headers: {}, body }, { requestId });
  const { open, server } = await startServer(context, handle, { clock: slowClock });
  const { socket, closed, text } = open();
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await waiting.promise;
  equal(server.inFlight(), 1);
  await clock.advance(12_000);
  socket.resume();
  await closed;
  ok(text().length < body.length);
  equal(server.inFlight(), 0);
});

test("answers that queue behind one another on a connection nobody reads are cut with it", async (context) => {
  const clock = createManualClock();
  const waiting = Promise.withResolvers<void>();
  const slowClock = {
    ...clock,
    sleep: (ms: number, signal?: AbortSignal) => (waiting.resolve(), clock.sleep(ms, signal)),
  };
  const handle: HttpHandler = (request, response, requestId) => {
    const body = "x".repeat(request.url === "/small" ? 1 : 32 * 1024 * 1024);
    return send(request, response, { status: 200, headers: {}, body }, { requestId });
  };
  const { open, server } = await startServer(context, handle, { clock: slowClock });
  const { socket, closed } = open();
  socket.pause();
  socket.write(["/small", "/large", "/large"].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(""));
  await waiting.promise;
  equal(server.inFlight(), 2);
  await clock.advance(12_000);
  socket.resume();
  await closed;
  equal(server.inFlight(), 0);
});

test("S04 a handler that throws or forgets to answer is logged, answered with 500, and the server lives", async (context) => {
  const logged: unknown[] = [];
  const log: Logger = { ...silentLogger, error: (fields) => void logged.push(fields["requestId"]) };
  const handle: HttpHandler = (request, response, requestId) => {
    if (request.url === "/throws") throw new Error("select * from secrets");
    if (request.url === "/rejects") return Promise.reject(new Error("secret"));
    if (request.url === "/header")
      return send(request, response, { status: 200, headers: { location: "/ü\n" } }, { requestId });
    if (request.url !== "/forgets") return hello(request, response, requestId);
    return undefined;
  };
  const { raw } = await startServer(context, handle, { log });
  for (const path of ["/throws", "/rejects", "/header", "/forgets"]) {
    const text = await raw(`GET ${path} HTTP/1.1\r\nX-Request-Id: r${path.slice(1)}\r\n${close}\r\n`);
    equal(refusal(text), "500 INTERNAL", path);
    ok(!text.includes("secret") && text.includes(`r${path.slice(1)}`));
  }
  deepEqual(logged, ["rthrows", "rrejects", "rheader", "rforgets"]);
  equal(parseAnswer(await raw(`GET /fine HTTP/1.1\r\n${close}\r\n`)).status, 200);
});

test("draining lets running requests finish, closes idle connections and accepts no new ones", async (context) => {
  const started = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const handle: HttpHandler = async (request, response, requestId) => {
    if (request.url === "/slow") {
      started.resolve();
      await gate.promise;
    }
    await hello(request, response, requestId);
  };
  const { open, server } = await startServer(context, handle);
  const idle = open();
  idle.socket.write("GET /idle HTTP/1.1\r\nHost: x\r\n\r\n");
  await idle.has('"/idle"');
  const silent = open();
  const running = open();
  running.socket.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  await started.promise;
  const drained = server.drain({ graceMs: 60_000 });
  await idle.closed;
  await silent.closed;
  const late = open();
  await late.closed;
  equal(late.text(), "");
  gate.resolve();
  await running.closed;
  const { headers, body } = parseAnswer(running.text());
  equal(headers.get("Connection"), "close");
  equal(body, '"/slow"');
  equal(await drained, 0);
});

test("what is still running after the grace period is cut and counted", async (context) => {
  const clock = createManualClock();
  const started = Promise.withResolvers<void>();
  const handle: HttpHandler = (_request, response) => {
    started.resolve();
    return new Promise((resolve) => response.on("close", resolve));
  };
  const { open, server } = await startServer(context, handle, { clock });
  const { socket, closed, text } = open();
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await started.promise;
  const drained = server.drain({ graceMs: 5_000 });
  await clock.advance(5_000);
  await closed;
  equal(await drained, 1);
  equal(text(), "");
});

test("a taken port is reported with the port and the way out", async (context) => {
  const { port } = await startServer(context, hello);
  await rejects(startServer(context, hello, { port }), new RegExp(`Port ${port} is already in use.*PORT=${port + 1}`));
});
