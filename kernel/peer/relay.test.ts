import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough, Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { Agent } from "undici";
import { relay } from "./relay.ts";

const never = new AbortController().signal;

async function service(answer: RequestListener) {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const agent = new Agent({ bodyTimeout: 0, headersTimeout: 0 });
  after(async () => {
    await agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return (begin: Parameters<typeof relay>[3], more: object = {}, signal = never) =>
    relay(agent, { origin, path: "/", method: "POST", ...more }, signal, begin);
}

test("a body goes on while it comes, and so does the answer", async () => {
  const ask = await service((request, response) => void request.pipe(response));
  const [sent, got] = [new PassThrough(), new PassThrough()];
  const done = ask(() => got, { body: sent });
  for (const part of ["one", "two", "three"]) {
    sent.write(part);
    equal(String((await once(got, "data"))[0]), part);
  }
  sent.end();
  await done;
  equal(await text(got), "");
});

test("status and headers are handed on as they were written, repeated ones and their case too", async () => {
  const ask = await service((_request, response) => {
    response.sendDate = false;
    response.writeEarlyHints({ link: "</x>; rel=preload" });
    response.writeHead(418, ["X-One", "1", "x-two", "caf\xe9", "X-One", "3", "Content-Length", "0"]).end();
  });
  const begun: unknown[] = [];
  await ask((status, headers) => {
    begun.push(status, headers.slice(0, 8));
    return new PassThrough();
  });
  deepEqual(begun, [418, ["X-One", "1", "x-two", "caf\xe9", "X-One", "3", "Content-Length", "0"]]);
});

test("a reader that stops stops the service, and gets all of it when it reads on", async () => {
  const part = Buffer.alloc(64 * 1024);
  const parts = 512;
  let written = 0;
  const content = function* () {
    while (written++ < parts) yield part;
  };
  const ask = await service((_request, response) => void Readable.from(content()).pipe(response));
  let [received, release] = [0, (): void => {}];
  const reader = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _, next) {
      received += chunk.length;
      if (reading) next();
      else release = next;
    },
  });
  let reading = false;
  const finished = once(reader, "finish");
  const done = ask(() => reader);
  const count = () => written;
  for (let [still, before] = [0, 0]; still < 2_000;) {
    await new Promise((resolve) => setImmediate(resolve));
    still = count() === before && before > 0 ? still + 1 : 0;
    before = count();
  }
  ok(written < parts, `${written} of ${parts} parts were written for a reader that took one`);
  reading = true;
  release();
  await Promise.all([done, finished]);
  equal(received, parts * part.length);
});

test("an answer that breaks off rejects, whether it had begun or not, and the end of time ends it on both sides", async () => {
  let begun = 0;
  const begin = () => {
    begun++;
    return new PassThrough().resume();
  };
  const before = await service((request) => void request.socket.destroy());
  await rejects(before(begin));
  equal(begun, 0);
  const amid = await service((request, response) => {
    response.writeHead(200, { "content-length": "10" }).write("half", () => request.socket.destroy());
  });
  await rejects(amid(begin));
  equal(begun, 1);
  const { promise: closed, resolve: noteClosed } = Promise.withResolvers<void>();
  const over = new AbortController();
  const hanging = await service((_request, response) => {
    response.once("close", noteClosed);
    over.abort(new Error("The time is over"));
  });
  await rejects(hanging(begin, {}, over.signal), /The time is over/);
  await closed;
  await rejects(hanging(begin, {}, over.signal), /The time is over/);
  equal(begun, 1);
});
