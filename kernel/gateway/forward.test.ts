import { deepEqual, equal, rejects } from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { createManualClock, type ManualClock, silentLogger, systemRandom } from "../base/index.ts";
import { createDependencies } from "../call/index.ts";
import { createHttpServer, errorAnswer, send } from "../http/index.ts";
import { createPeerTokens, createWire } from "../peer/index.ts";
import type { Exchange } from "../service/index.ts";
import { createClient, moving, type TestRequest } from "../testing/index.ts";
import { createForward } from "./forward.ts";

const timeoutMs = 10_000;

/** A gateway before one service, which answers what the test says. */
async function setUp(answer: RequestListener, limits: { inFlightMax?: number; waitingMax?: number } = {}) {
  const clock = createManualClock();
  const seen: string[] = [];
  const service = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  const { port } = service.address() as AddressInfo;
  const base = { clock, random: systemRandom, log: silentLogger };
  const wire = createWire({
    urlOf: () => `http://127.0.0.1:${port}`,
    tokens: createPeerTokens({ secret: new Uint8Array(32), clock }),
    ...base,
  });
  const forward = createForward({
    ...base,
    service: "catalog",
    wire,
    dependency: createDependencies({ ...base, ...limits }).of("gateway", "catalog"),
  });
  const gateway = createHttpServer({
    ...base,
    port: 0,
    host: "127.0.0.1",
    async handle(message, response, requestId) {
      const gone = new AbortController();
      response.once("close", () => response.writableFinished || gone.abort());
      const exchange = {
        ...{ message, response, id: requestId, gone: gone.signal, timeoutMs },
        ...{ address: "127.0.0.1", headers: {}, traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01` },
      } as unknown as Exchange;
      await forward(exchange).catch((error: unknown) =>
        send(message, response, errorAnswer(error, requestId), { requestId }),
      );
    },
  });
  const { url, request } = createClient(`http://127.0.0.1:${await gateway.listen()}`);
  const stop = async () => {
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
  };
  after(async () => {
    await wire.close();
    const drained = gateway.drain({ graceMs: 0 });
    service.closeAllConnections();
    service.close();
    await drained;
  });
  const ask = async (method: string, more?: TestRequest) => {
    const { status, json, headers } = await request(method, "/v1/products", more);
    return [status, json?.error?.code ?? json, headers.get("retry-after")];
  };
  return { clock, seen, ask, stop, url };
}

const breaks: RequestListener = (_request, response) => void response.destroy();
const answers: RequestListener = (_request, response) => void response.end('{"here":true}');
const inTurn = (...listeners: RequestListener[]): RequestListener => {
  const left = [...listeners];
  return (request, response) => (left.length > 1 ? left.shift()! : left[0]!)(request, response);
};
const until = async (clock: ManualClock, check: () => boolean, stepMs = 0) => {
  while (!check()) await clock.advance(stepMs);
};

test("what only reads is asked once more when the connection broke before an answer, and not a third time", async () => {
  const { seen, ask } = await setUp(inTurn(breaks, answers, breaks, breaks, answers));
  deepEqual(await ask("GET"), [200, { here: true }, null]);
  deepEqual(await ask("GET"), [503, "UNAVAILABLE", "1"]);
  equal(seen.length, 4);
});

test("what may have been done is not asked twice", async () => {
  const { seen, ask } = await setUp(breaks);
  for (const method of ["POST", "PUT", "PATCH", "DELETE"])
    deepEqual(await ask(method, method === "DELETE" ? {} : { body: { a: 1 } }), [503, "UNAVAILABLE", "1"]);
  deepEqual(
    seen,
    ["POST", "PUT", "PATCH", "DELETE"].map((method) => `${method} /v1/products`),
  );
});

test("nor is what was answered, whatever the answer", async () => {
  const { seen, ask } = await setUp((_request, response) => void response.writeHead(503).end('{"busy":true}'));
  for (let made = 0; made < 50; made++) deepEqual(await ask("GET"), [503, { busy: true }, null]);
  equal(seen.length, 50);
});

test("what is no HTTP is 502 in the envelope", async () => {
  const { ask } = await setUp((request) => void request.socket.end("NOT HTTP\r\n\r\n"));
  deepEqual(await ask("POST", { body: {} }), [502, "BAD_GATEWAY", null]);
});

test("a service that is not there is soon not asked any more, with the time to come back", async () => {
  const { ask, stop } = await setUp(answers);
  await stop();
  const ends = [];
  for (let made = 0; made < 12; made++) ends.push((await ask("POST", { body: {} }))[2]);
  deepEqual(ends, [...Array.from({ length: 10 }, () => "1"), "5", "5"]);
});

test("a service that hangs holds a bounded number of requests; the rest is refused at once, and none waits longer than its time", async () => {
  const { clock, seen, ask } = await setUp(() => {}, { inFlightMax: 9, waitingMax: 3 });
  const hanging = Array.from({ length: 9 }, () => ask("GET"));
  await until(clock, () => seen.length === 9);
  const waiting = Array.from({ length: 3 }, () => ask("POST", { body: { a: 1 } }));
  // Whoever comes first of these four, one finds no place to wait.
  const refused = await Promise.race([...waiting, ask("GET")]);
  deepEqual(refused, [503, "UNAVAILABLE", "1"]);
  await clock.advance(timeoutMs);
  for (const end of await Promise.all(hanging)) deepEqual(end, [504, "DEADLINE_EXCEEDED", null]);
  const late = (await Promise.all(waiting)).filter(([status]) => status === 504);
  equal(late.length >= 2, true);
});

test("clients that go away give their places back, and say nothing about the service", async () => {
  const listeners = inTurn(...Array.from({ length: 15 }, (): RequestListener => () => {}), answers);
  const { clock, seen, ask, url } = await setUp(listeners, { inFlightMax: 1 });
  for (let made = 0; made < 15; made++) {
    const gone = new AbortController();
    const answer = fetch(`${url}/v1/products`, { signal: gone.signal });
    // The place of the one before is given back when it is noticed that its client is gone.
    await until(clock, () => seen.length === made + 1, 10);
    gone.abort();
    await rejects(answer, { name: "AbortError" });
  }
  deepEqual(await moving(clock, ask("GET")), [200, { here: true }, null]);
});
