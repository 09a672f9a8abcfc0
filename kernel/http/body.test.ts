import { deepEqual, equal, match, ok } from "node:assert/strict";
import { mock, test, type TestContext } from "node:test";
import { gather, readJson } from "./body.ts";
import { errorAnswer } from "./errors.ts";
import { parseAnswer, startServer } from "./raw-exchange.ts";
import { send } from "./respond.ts";

/** Answers with the JSON it read. */
function startEcho(context: TestContext) {
  return startServer(context, async (request, response, requestId) => {
    try {
      const options = { mediaTypes: ["application/json", "application/merge-patch+json"], maxBytes: 1024 };
      const body = JSON.stringify(await readJson(request, options));
      await send(request, response, { status: 200, headers: {}, body }, { requestId });
    } catch (error) {
      void send(request, response, errorAnswer(error, requestId), { requestId });
    }
  });
}

function post(body: string, headers: Record<string, string> = {}): string {
  const all = {
    Host: "x",
    Connection: "close",
    "Content-Type": "application/json",
    "Content-Length": String(Buffer.byteLength(body)),
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== "");
  return `POST / HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}

function code(text: string): string {
  const { status, body } = parseAnswer(text);
  return `${status} ${(JSON.parse(body) as { error: { code: string } }).error.code}`;
}

test("JSON is read, also in chunks of one byte", async (context) => {
  const { raw } = await startEcho(context);
  equal(parseAnswer(await raw(post('{"a":[1,"ü"]}'))).body, Buffer.from('{"a":[1,"ü"]}').toString("latin1"));
  const chunks = [...'{"a":1}'].map((letter) => `1\r\n${letter}\r\n`).join("");
  const chunked = post("", { "Transfer-Encoding": "chunked", "Content-Length": "" });
  equal(parseAnswer(await raw(`${chunked}${chunks}0\r\n\r\n`)).body, '{"a":1}');
});

test("N11 a body in very many tiny chunks is read, and one byte over the limit in them is refused", async (context) => {
  const { raw } = await startEcho(context);
  const head = post("", { "Transfer-Encoding": "chunked", "Content-Length": "" });
  const inBytes = (body: string) => `${head}${body.replaceAll(/[^]/g, "1\r\n$&\r\n")}0\r\n\r\n`;
  const atLimit = JSON.stringify("a".repeat(1022));
  equal(parseAnswer(await raw(inBytes(atLimit))).body, atLimit);
  equal(code(await raw(inBytes(` ${atLimit}`))), "413 PAYLOAD_TOO_LARGE");
});

test("N11 a megabyte that comes byte by byte fills one buffer that doubles eight times, and a single piece is not copied", () => {
  const allocated = mock.method(Buffer, "allocUnsafe");
  const megabyte = 2 ** 20;
  const gathered = gather(megabyte);
  const block = Buffer.alloc(65_536, "a");
  for (let count = 0; count < megabyte; count++) ok(gathered.add(block.subarray(count % 65_536, (count % 65_536) + 1)));
  equal(gathered.add(block.subarray(0, 1)), false);
  const bytes = gathered.bytes();
  deepEqual([bytes.byteLength, bytes.every((byte) => byte === 0x61)], [megabyte, true]);
  deepEqual(
    allocated.mock.calls.map(({ arguments: [size] }) => size),
    [4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144, 524_288, megabyte],
  );
  allocated.mock.restore();

  const single = gather(megabyte);
  single.add(block);
  equal(single.bytes().buffer, block.buffer);
  equal(gather(1).bytes().byteLength, 0);
});

test("N10 media types are compared without parameters and case, and only UTF-8 is read", async (context) => {
  const { raw } = await startEcho(context);
  for (const type of [
    "Application/JSON",
    "application/json; charset=UTF-8",
    'application/merge-patch+json;charset="utf-8"',
  ]) {
    equal(parseAnswer(await raw(post("1", { "Content-Type": type }))).status, 200, type);
  }
  for (const type of [
    "",
    "text/plain",
    "application/json;charset=utf-16",
    "application/\tjson",
    "application/json, text/plain",
    "multipart/form-data; boundary=x",
    "application/jsonx",
  ]) {
    equal(code(await raw(post("1", { "Content-Type": type }))), "415 UNSUPPORTED_MEDIA_TYPE", type);
  }
  equal(parseAnswer(await raw(post("1", { "Content-Encoding": "identity" }))).status, 200);
  equal(code(await raw(post("1", { "Content-Encoding": "gzip" }))), "415 UNSUPPORTED_MEDIA_TYPE");
});

test("a 415 to PATCH names what PATCH takes", async (context) => {
  const { raw } = await startEcho(context);
  const { headers } = parseAnswer(await raw(post("1", { "Content-Type": "text/plain" }).replace("POST", "PATCH")));
  equal(headers.get("Accept-Patch"), "application/json, application/merge-patch+json");
});

test("415 comes before 413, and 413 before malformed JSON", async (context) => {
  const { raw } = await startEcho(context);
  const large = "{".repeat(2_000);
  equal(code(await raw(post(large, { "Content-Type": "text/plain" }))), "415 UNSUPPORTED_MEDIA_TYPE");
  equal(code(await raw(post(large))), "413 PAYLOAD_TOO_LARGE");
  equal(code(await raw(post("{"))), "400 MALFORMED_JSON");
});

test("N07 N08 an empty body, broken UTF-8 and duplicate keys are malformed JSON", async (context) => {
  const { raw } = await startEcho(context);
  equal(code(await raw(post(""))), "400 MALFORMED_JSON");
  equal(code(await raw(post("", { "Content-Length": "" }))), "400 MALFORMED_JSON");
  equal(code(await raw(post('{"a":1,"a":2}'))), "400 MALFORMED_JSON");
  equal(code(await raw(Buffer.from(post("", { "Content-Length": "3" }) + '"\xff"', "latin1"))), "400 MALFORMED_JSON");
});

test("a body at the limit is read and one byte more is not, announced or chunked", async (context) => {
  const { raw } = await startEcho(context);
  const atLimit = JSON.stringify("a".repeat(1022));
  equal(parseAnswer(await raw(post(atLimit))).status, 200);
  equal(code(await raw(post(` ${atLimit}`))), "413 PAYLOAD_TOO_LARGE");
  const chunked = post("", { "Transfer-Encoding": "chunked", "Content-Length": "" });
  equal(code(await raw(`${chunked}401\r\n ${atLimit}\r\n0\r\n\r\n`)), "413 PAYLOAD_TOO_LARGE");
});

test("N11 a client that sends 50 MiB anyway still gets to read its 413, then the connection closes", async (context) => {
  const { open } = await startEcho(context);
  const { socket, text, closed } = open({ keepsSending: true });
  socket.write(post("", { "Content-Length": String(50 * 1024 * 1024), Connection: "keep-alive" }));
  const piece = Buffer.alloc(1024 * 1024, 32);
  for (let count = 0; count < 50; count++) {
    if (!socket.write(piece)) await new Promise((resolve) => socket.once("drain", resolve));
  }
  socket.end();
  await closed;
  equal(code(text()), "413 PAYLOAD_TOO_LARGE");
  equal(parseAnswer(text()).headers.get("Connection"), "close");
});

test("after a small refused body the connection goes on with the next request", async (context) => {
  const { raw } = await startEcho(context);
  const refused = post("x".repeat(2_000), { Connection: "keep-alive" });
  const text = await raw(refused + post("7"));
  match(text, /^HTTP\/1\.1 413 [^]*\r\n\r\n\{"error"[^]*HTTP\/1\.1 200 OK[^]*\r\n\r\n7$/);
});

test("a client that waits for 100 Continue gets it when its body is wanted, and not when refused", async (context) => {
  const { open } = await startEcho(context);
  const wanted = open();
  wanted.socket.write(post("", { Expect: "100-continue", "Content-Length": "1" }));
  await wanted.has("HTTP/1.1 100 Continue\r\n\r\n");
  wanted.socket.write("7");
  await wanted.closed;
  ok(wanted.text().endsWith("\r\n\r\n7"));

  const refused = open();
  refused.socket.write(post("", { Expect: "100-continue", "Content-Length": "5000" }));
  await refused.has("PAYLOAD_TOO_LARGE");
  refused.socket.end();
  await refused.closed;
  ok(!refused.text().includes("100 Continue"));
});

test("a client that leaves in the middle of its body ends the read with a refusal", async (context) => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const { open } = await startServer(context, async (request, response) => {
    try {
      await readJson(request, { mediaTypes: ["application/json"], maxBytes: 1024 });
    } catch (error) {
      resolve((error as Error).message);
    }
    response.destroy();
  });
  const { socket, closed } = open();
  socket.write(post("12", { "Content-Length": "100" }), () => socket.destroy());
  await closed;
  equal(await promise, "The body ended before it was complete");
});

test("a Content-Type sent twice is refused", async (context) => {
  const { raw } = await startEcho(context);
  const text = await raw(post("1").replace("\r\n\r\n", "\r\nContent-Type: text/plain\r\n\r\n"));
  deepEqual(code(text), "400 BAD_REQUEST");
});
