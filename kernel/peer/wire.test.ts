import { deepEqual, equal, rejects } from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { createManualClock, silentLogger } from "../base/index.ts";
import { conflict, errors, Failure } from "../contract/index.ts";
import { outcomeOf } from "./outcome.ts";
import { createPeerTokens } from "./tokens.ts";
import { createWire } from "./wire.ts";

const clock = createManualClock();
const tokens = createPeerTokens({ secret: new Uint8Array(32), clock });
const secret = { connection: "10.0.0.7" };

async function peer(answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const wire = createWire({ urlOf: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tokens });
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

test("who is not there, breaks off or answers something else is 503, and nothing says where it is", async () => {
  const answers: RequestListener[] = [
    (_request, response) => void response.destroy(),
    (_request, response) =>
      void response.writeHead(200, { "content-length": "9" }).write("{", () => response.destroy()),
    (_request, response) => void response.end("<html>"),
    (_request, response) => void response.writeHead(502).end("{}"),
  ];
  const { post, server } = await peer((request, response) => answers.shift()!(request, response));
  const unreached = (error: Failure) => {
    deepEqual(
      [error.code, error.message, error.headers],
      ["UNAVAILABLE", "Service orders is not reached", { "retry-after": "1" }],
    );
    return true;
  };
  for (const _ of [...answers]) await rejects(post(), unreached);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rejects(post(), unreached);
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
