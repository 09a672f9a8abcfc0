import { deepEqual, equal, rejects } from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { createManualClock, silentLogger, systemRandom } from "../base/index.ts";
import { conflict, errors, Failure } from "../contract/index.ts";
import { outcomeOf } from "./outcome.ts";
import { isUndelivered } from "./unreached.ts";
import { createPeerTokens } from "./tokens.ts";
import { createWire } from "./wire.ts";

const clock = createManualClock();
const tokens = createPeerTokens({ secret: new Uint8Array(32), clock });
const secret = { connection: "10.0.0.7" };

async function peer(answer: RequestListener) {
  const server = createServer((request, response) => {
    // It speaks HTTP alone.
    if (request.headers.upgrade === undefined) answer(request, response);
    else response.writeHead(400).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const wire = createWire({ urlOf: () => `http://127.0.0.1:${port}`, tokens, clock, random: systemRandom });
  after(async () => {
    await wire.close();
    server.closeAllConnections();
    server.close();
  });
  const limits = { signal: new AbortController().signal, remainingMs: () => 1_000 };
  return { server, wire, post: (more = limits) => wire.post("orders", "/x", { use: "call orders.x" }, { a: 1 }, more) };
}

test("a value comes back, with what was said under a token for that service", async () => {
  const { post } = await peer((request, response) => {
    const { remainingMs } = tokens.read(request.headers["ashlar-peer"] as string, "orders", "call orders.x");
    response.end(JSON.stringify({ value: { remainingMs } }));
  });
  deepEqual(await post(), { remainingMs: 1_000 });
});

test("a failure comes back as the other side threw it, without its cause; anything else only as a 500", async () => {
  const thrown = [conflict("Taken", { details: [{ field: "a", message: "b" }], cause: secret }), new Error("secret")];
  const { post } = await peer(
    (_request, response) =>
      void response.end(JSON.stringify(outcomeOf(thrown.shift(), { use: "x", requestId: "1", log: silentLogger }))),
  );
  await rejects(post(), (error: Failure) => {
    deepEqual(
      [error.code, error.message, error.details, error.cause],
      ["CONFLICT", "Taken", [{ field: "a", message: "b" }], undefined],
    );
    return true;
  });
  await rejects(post(), (error: Failure) => error.code === "INTERNAL" && !JSON.stringify(error).includes("secret"));
});

test("who is not there or breaks off is 503, and nothing says where it is", async () => {
  const answers: RequestListener[] = [
    (_request, response) => void response.destroy(),
    (_request, response) =>
      void response.writeHead(200, { "content-length": "9" }).write("{", () => response.destroy()),
    (_request, response) => void response.writeHead(503).end("busy"),
  ];
  const { post, server } = await peer((request, response) => answers.shift()!(request, response));
  const unreached = (undelivered: boolean) => (error: Failure) => {
    deepEqual(
      [error.code, error.message, error.headers, isUndelivered(error)],
      ["UNAVAILABLE", "Service orders is not reached", { "retry-after": "1" }, undelivered],
    );
    return true;
  };
  // What became of a request whose connection broke is not known, and a 503 may be of somebody in between.
  for (const _ of [...answers]) await rejects(post(), unreached(false));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  // The kept connection may not have heard yet that it was closed.
  await rejects(post(), { code: "UNAVAILABLE" });
  await rejects(post(), unreached(true));
});

test("who answers what is no answer is 502, and what it said stays in the log", async () => {
  const answers: RequestListener[] = [
    (_request, response) => void response.end("<html>"),
    (_request, response) => void response.end("[1]"),
    (_request, response) => void response.end('{"failure":"no"}'),
    (_request, response) => void response.end('{"failure":{"code":"X","status":409,"message":"no details"}}'),
    (_request, response) => void response.end('{"answer":1}'),
    (_request, response) => void response.writeHead(404).end("{}"),
    (_request, response) => void response.writeHead(401).end('{"value":1}'),
    (request) => void request.socket.end("NOT HTTP\r\n\r\n"),
  ];
  const { post } = await peer((request, response) => answers.shift()!(request, response));
  for (const _ of [...answers])
    await rejects(post(), (error: Failure) => {
      deepEqual(
        [error.code, error.status, error.message],
        ["BAD_GATEWAY", 502, "Service orders answered what is no answer"],
      );
      return true;
    });
});

test("a deadline that passes ends the request, here and there", async () => {
  const ended = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const { post } = await peer((request) => {
    arrived.resolve();
    request.socket.once("close", ended.resolve);
  });
  const deadline = new AbortController();
  const asked = post({ signal: deadline.signal, remainingMs: () => 1 });
  await arrived.promise;
  deadline.abort(new Failure(errors.deadlineExceeded, "Too late"));
  await rejects(asked, { code: "DEADLINE_EXCEEDED" });
  await ended.promise;
  equal(deadline.signal.aborted, true);
});
