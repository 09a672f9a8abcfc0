// How a kept connection begins and ends, between two real servers' ends.

import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import { request as requestHttp } from "node:http";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { test, type TestContext } from "node:test";
import { createManualClock, silentLogger, systemRandom } from "../base/index.ts";
import type { CallTarget } from "../call/index.ts";
import { object, post, service, servicesOnly, type TSchema } from "../contract/index.ts";
import { createPostgresBus } from "../events/index.ts";
import { createHttpServer, type ServerTls } from "../http/index.ts";
import { createPeerTokens, createWire, isUndelivered, type PeerTls, wirePath } from "../peer/index.ts";
import type { RunningService } from "../service/index.ts";
import { createAuthority } from "../testing/certificates.ts";
import { createPeerHandler } from "./peer-handler.ts";
import { createPeerUpgrade } from "./peer-upgrade.ts";

const here = "127.0.0.1";
const spec = { status: 200, access: servicesOnly };
const anything = { type: "object" } as unknown as TSchema;
const contractOf = (name: string) =>
  service(name, {
    database: name,
    summary: "Something",
    versions: [{ number: 1 }],
    operations: { echo: post(`/${name}/echo`, { ...spec, summary: "Echoes", body: object({}), returns: anything }) },
  });

interface Options {
  /** What a call does. */
  work?: (gone: AbortSignal) => Promise<unknown>;
  tls?: ServerTls;
  speaks?: "HTTP alone";
  port?: number;
}

/** A process with the services shop and bank. */
async function startPeer(
  context: TestContext,
  { work = async () => ({}), tls, speaks, port: given = 0 }: Options = {},
) {
  const clock = createManualClock();
  const warned: string[] = [];
  const log = { ...silentLogger, warn: (fields: object) => void warned.push(String((fields as { err: Error }).err)) };
  const base = { clock, random: systemRandom, log };
  const tokens = createPeerTokens({ secret: new Uint8Array(32), clock });
  const target: CallTarget = { invoke: (_operation, _input, { deadline }) => work(deadline.signal) };
  const services = new Map(
    ["shop", "bank"].map((name) => [name, { contract: contractOf(name), target } as unknown as RunningService]),
  );
  const asked = { ...base, services, bus: createPostgresBus(), tokens };
  const seen = { http: 0 };
  const handler = createPeerHandler(asked, (_message, response) => void response.writeHead(404).end());
  const server = createHttpServer({
    ...base,
    port: given,
    host: here,
    handle(message, response, requestId) {
      seen.http++;
      return handler(message, response, requestId);
    },
    upgrade: speaks === undefined ? createPeerUpgrade(asked) : undefined,
    tls,
  });
  const port = await server.listen();
  context.after(() => server.drain({ graceMs: 0 }));
  return { ...base, tokens, server, port, seen, warned };
}

type Peer = Awaited<ReturnType<typeof startPeer>>;

/** The way of another process to it. */
function wireTo(context: TestContext, { clock, random, tokens, port }: Peer, tls?: PeerTls) {
  const urlOf = () => `${tls === undefined ? "http" : "https"}://${here}:${port}`;
  const wire = createWire({ clock, random, tokens, urlOf, tls });
  context.after(() => wire.close());
  const limits = { signal: new AbortController().signal, remainingMs: () => 1_000 };
  const claims = { use: "call shop.echo", from: "bank", requestId: "r1" };
  const input = { params: {}, query: {}, body: {} };
  const post = (more: object = {}, path = "/.ashlar/calls/shop/echo") =>
    wire.post("shop", path, claims, input, { ...limits, ...more });
  return { wire, post };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What the server says first to such a request. */
async function knock({ port }: Peer, service: string, headers: Record<string, string>): Promise<number> {
  const asked = requestHttp({ host: here, port, path: wirePath(service), agent: false, headers }).end();
  return new Promise((resolve, reject) => {
    asked.on("response", (answer) => {
      answer.resume();
      resolve(answer.statusCode!);
    });
    asked.on("upgrade", (answer, socket) => {
      socket.destroy();
      resolve(answer.statusCode!);
    });
    asked.on("error", reject);
  });
}

const upgrade = { connection: "Upgrade", upgrade: "ashlar-wire/1" };

test("the first request goes by HTTP, and those after it on the connection that it had opened", async (t) => {
  const peer = await startPeer(t);
  const { wire, post } = wireTo(t, peer);
  deepEqual(await post(), {});
  equal(peer.seen.http, 1);
  equal(await wire.open("shop"), true);
  deepEqual(await Promise.all([post(), post(), post()]), [{}, {}, {}]);
  equal(peer.seen.http, 1);
});

test("who speaks HTTP alone is asked by HTTP, and asked again after a while whether it has learnt more", async (t) => {
  const before = await startPeer(t, { speaks: "HTTP alone" });
  const { wire, post } = wireTo(t, before);
  equal(await wire.open("shop"), false);
  deepEqual(await post(), {});
  await before.server.drain({ graceMs: 0 });
  const next = await startPeer(t, { port: before.port });
  equal(await wire.open("shop"), false);
  deepEqual(await post(), {});
  equal(next.seen.http, 1);
  await before.clock.advance(30_000);
  equal(await wire.open("shop"), true);
  await post();
  equal(next.seen.http, 1);
});

test("a newer process that knows the wire serves an older one that does not", async (t) => {
  const { port, tokens, seen } = await startPeer(t);
  const token = tokens.sign("shop", { use: "call shop.echo", from: "bank", requestId: "r1", remainingMs: 1_000 });
  const answer = await fetch(`http://${here}:${port}/.ashlar/calls/shop/echo`, {
    method: "POST",
    headers: { "ashlar-peer": token },
    body: JSON.stringify({ params: {}, query: {}, body: {} }),
  });
  deepEqual([answer.status, await answer.json(), seen.http], [200, { value: {} }, 1]);
});

test("G02 a wire is opened with a fresh token for that service and that use alone; the rest is refused as a request is", async (t) => {
  const peer = await startPeer(t);
  const sign = (tokens: Peer["tokens"], audience: string, use: string) => ({
    ...upgrade,
    "ashlar-peer": tokens.sign(audience, { use, word: "w" }),
  });
  const others = createPeerTokens({ secret: new Uint8Array(32).fill(1), clock: peer.clock });
  const old = { ...peer.clock, nowMs: () => peer.clock.nowMs() - 60_001 };
  const expired = createPeerTokens({ secret: new Uint8Array(32), clock: old });
  const open = "open a wire";
  equal(await knock(peer, "shop", sign(peer.tokens, "shop", open)), 101);
  equal(await knock(peer, "shop", upgrade), 401);
  equal(await knock(peer, "shop", { ...upgrade, "ashlar-peer": "x" }), 401);
  equal(await knock(peer, "shop", sign(others, "shop", open)), 401);
  equal(await knock(peer, "shop", sign(expired, "shop", open)), 401);
  equal(await knock(peer, "shop", sign(peer.tokens, "bank", open)), 401);
  equal(await knock(peer, "shop", sign(peer.tokens, "shop", "call shop.echo")), 401);
  equal(await knock(peer, "shop", { ...sign(peer.tokens, "shop", open), upgrade: "websocket" }), 400);
  // A service that is not here, and a request without the offer.
  equal(await knock(peer, "library", sign(peer.tokens, "library", open)), 400);
  equal(await knock(peer, "shop", { "ashlar-peer": peer.tokens.sign("shop", { use: open }) }), 404);
});

/** Sends what somebody else had said to open a wire, and then these bytes. */
async function replay({ port }: Peer, opening: string): Promise<{ socket: Socket; answer: string }> {
  const socket = connect(port, here);
  socket.write(opening);
  const [answer] = (await once(socket, "data")) as [Buffer];
  return { socket, answer: answer.toString("latin1") };
}

test("G02 what was overheard of one wire opens no other: its token gets a new word, which wants a new proof", async (t) => {
  const peer = await startPeer(t);
  const token = peer.tokens.sign("shop", { use: "open a wire", word: "overheard" });
  const opening = `GET ${wirePath("shop")} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ashlar-wire/1\r\nAshlar-Peer: ${token}\r\n\r\n`;
  const first = await replay(peer, opening);
  match(first.answer, /^HTTP\/1.1 101 /);
  const wordOf = (answer: string) => {
    const said = /Ashlar-Peer: (.*)\r/.exec(answer)![1]!;
    return String(peer.tokens.read(said, "whoever asks shop", "wire overheard")["word"]);
  };
  const proof = peer.tokens.sign("shop", { use: `wire ${wordOf(first.answer)}` });
  const second = await replay(peer, opening);
  const hello = Buffer.concat([Buffer.alloc(15), Buffer.from(proof)]);
  hello.writeUInt32BE(6 + proof.length);
  hello[4] = 1;
  hello.writeUInt16BE(proof.length, 13);
  const closed = once(second.socket.resume(), "close");
  second.socket.write(hello);
  await closed;
  match(peer.warned.join(), /The token is for wire/);
  // It is the proof of the first.
  first.socket.write(hello);
  await turn();
  equal(first.socket.destroyed, false);
  first.socket.destroy();
});

test("G02 who answers without the secret is told nothing: no claims, no body", async (t) => {
  const peer = await startPeer(t);
  const impostor = createPeerTokens({ secret: new Uint8Array(32).fill(1), clock: peer.clock });
  const { wire } = wireTo(t, { ...peer, tokens: impostor });
  equal(await wire.open("shop"), false);
});

test("G02 a wire to one service asks no other, whatever it says", async (t) => {
  const peer = await startPeer(t);
  const { wire, post } = wireTo(t, peer);
  equal(await wire.open("shop"), true);
  for (const path of [
    "/.ashlar/calls/bank/echo",
    "/.ashlar/events/bank",
    "/.ashlar/calls/shop/other",
    "/health",
    "constructor",
  ])
    await rejects(post({}, path), { code: "BAD_GATEWAY" });
  deepEqual(await post(), {});
  equal(peer.seen.http, 0);
});

test("G02 with certificates a wire is for those who show one of the authority, and so is the answer", async (t) => {
  const authority = createAuthority();
  const { cert: ca } = authority;
  const peer = await startPeer(t, { tls: { ...authority.issue(here), ca, open: [] } });
  const { wire, post } = wireTo(t, peer, { ...authority.issue(here), ca });
  equal(await wire.open("shop"), true);
  deepEqual(await post(), {});
  equal(peer.seen.http, 0);
  const stranger = { ...createAuthority().issue(here), ca };
  equal(await wireTo(t, peer, stranger).wire.open("shop"), false);
  const token = peer.tokens.sign("shop", { use: "open a wire", word: "w" });
  const socket = connectTls({ host: here, port: peer.port, ca });
  socket.write(
    `GET ${wirePath("shop")} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ashlar-wire/1\r\nAshlar-Peer: ${token}\r\n\r\n`,
  );
  const [answer] = (await once(socket, "data")) as [Buffer];
  match(answer.toString(), /^HTTP\/1.1 403 /);
  // Who shows a certificate of another authority for its address is not even spoken to.
  const impostor = await startPeer(t, { tls: { ...createAuthority().issue(here), ca, open: [] } });
  equal(await wireTo(t, impostor, { ...authority.issue(here), ca }).wire.open("shop"), false);
});

test("a deadline that passes ends the work on the other side", async (t) => {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const peer = await startPeer(t, {
    work(gone) {
      arrived.resolve();
      return new Promise((_, reject) => {
        gone.addEventListener("abort", () => {
          stop();
          reject(gone.reason as Error);
        });
      });
    },
  });
  const { wire, post } = wireTo(t, peer);
  await wire.open("shop");
  const deadline = new AbortController();
  const asked = post({ signal: deadline.signal });
  await arrived.promise;
  deadline.abort(new Error("over"));
  await rejects(asked, { code: "UNAVAILABLE" });
  await stopped;
});

test("a server that drains answers what came on a wire, and who asks goes on by HTTP or to the next process", async (t) => {
  const release = Promise.withResolvers<void>();
  const at = { work: 0 };
  const peer = await startPeer(t, {
    async work() {
      at.work++;
      await release.promise;
      return { done: true };
    },
  });
  const { wire, post } = wireTo(t, peer);
  await wire.open("shop");
  const before = Array.from({ length: 20 }, () => post());
  while (at.work < 20) await turn();
  const drained = peer.server.drain({ graceMs: 60_000, leadMs: 5_000 });
  // These may be sent before it is heard that it ends.
  const meanwhile = Array.from({ length: 20 }, () => post());
  while (at.work < 40) await turn();
  release.resolve();
  for (const answer of await Promise.all([...before, ...meanwhile])) deepEqual(answer, { done: true });
  deepEqual(await post(), { done: true });
  ok(peer.seen.http >= 1);
  await peer.clock.advance(5_000);
  while (peer.server.inFlight() > 0) await turn();
  await peer.clock.advance(5_000);
  equal(await drained, 0);
});

test("a process that dies in the middle of a call leaves open what became of it", async (t) => {
  const arrived = Promise.withResolvers<void>();
  const peer = await startPeer(t, {
    work() {
      arrived.resolve();
      return new Promise(() => {});
    },
  });
  const { wire, post } = wireTo(t, peer);
  await wire.open("shop");
  const asked = post();
  await arrived.promise;
  const cut = peer.server.drain({ graceMs: 0 });
  await rejects(asked, (error) => !isUndelivered(error as never) && (error as { code: string }).code === "UNAVAILABLE");
  equal(await cut, 1);
  // And now nobody is there.
  await rejects(post(), (error) => isUndelivered(error as never));
});

test("a wire is opened anew after a minute, and the one before is left", async (t) => {
  const peer = await startPeer(t);
  const { wire, post } = wireTo(t, peer);
  await wire.open("shop");
  await post();
  await peer.clock.advance(60_000);
  for (let made = 0; made < 50; made++) {
    deepEqual(await post(), {});
    await turn();
  }
  // The first is gone by now: what ends it on the other side ends nobody else's call.
  await peer.clock.advance(59_000);
  deepEqual(await post(), {});
  equal(peer.seen.http, 0);
});
