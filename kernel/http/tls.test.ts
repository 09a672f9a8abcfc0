import { deepEqual, equal, match } from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:https";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { test, type TestContext } from "node:test";
import { certificateFor, createAuthority } from "../testing/certificates.ts";
import { startServer } from "./raw-exchange.ts";
import { send } from "./respond.ts";
import type { HttpHandler } from "./server-state.ts";

const here = "127.0.0.1";
const authority = createAuthority();
const { cert: ca } = authority;
const member = authority.issue(here);
const open = ["/health/live"];

const hello: HttpHandler = (request, response, requestId) =>
  send(request, response, { status: 200, headers: {}, body: `"${request.url}"` }, { requestId });

function start(context: TestContext) {
  return startServer(context, hello, { tls: { ...authority.issue(here), ca, open } });
}

/** Status and body of one request on a connection of its own. */
async function ask(port: number, path: string, options: object = {}) {
  const asked = request({ host: here, port, path, ca, agent: false, ...options }).end();
  const [answer] = await once(asked, "response");
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode as number, text, connection: answer.headers.connection as string | undefined };
}

test("who shows a certificate of the authority is served", async (t) => {
  const { port } = await start(t);
  deepEqual(await ask(port, "/v1/orders", member), { status: 200, text: '"/v1/orders"', connection: "close" });
});

const strangers: [who: string, shown: object][] = [
  ["without a certificate", {}],
  ["with one that vouches for itself", certificateFor(here)],
  ["with one of another authority of the same name", createAuthority().issue(here)],
  ["with one that has expired", authority.issue(here, { to: "20210101000000Z" })],
  ["with one that is not valid yet", authority.issue(here, { from: "21000101000000Z" })],
  ["with one that was issued by a member, who is no authority", { ...issuedByMember(), ca }],
];

/** A certificate under the name of the authority, that the key of a member signed. */
function issuedByMember() {
  return createAuthority("process at 127.0.0.1").issue(here);
}

for (const [who, shown] of strangers)
  test(`G02 a stranger ${who} is refused in words, whatever is asked for, and the connection ends`, async (t) => {
    const { port } = await start(t);
    for (const path of [
      "/v1/orders",
      "/.ashlar/calls/orders/placeOrder",
      "/health",
      "/health/live/",
      "/health/live?a",
    ]) {
      const { status, text, connection } = await ask(port, path, shown);
      deepEqual([status, JSON.parse(text).error.code, connection], [403, "FORBIDDEN", "close"], path);
      match(text, /Only processes of this system/);
    }
  });

test("a probe without a certificate is answered whether the process lives", async (t) => {
  const { port } = await start(t);
  equal((await ask(port, "/health/live")).status, 200);
  equal((await ask(port, "/health/live", certificateFor(here))).status, 200);
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const)
  test(`G02 ${version}: a stranger who takes up a session of before is as strange as before`, async (t) => {
    const { port } = await start(t);
    const exchange = async (options: ConnectionOptions) => {
      const socket = connect({ port, host: here, ca, minVersion: version, maxVersion: version, ...options });
      const reused = once(socket, "secureConnect").then(() => socket.isSessionReused());
      const session = Promise.race([once(socket, "session"), once(socket, "close")]);
      socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      const [bytes] = (await once(socket, "data")) as [Buffer];
      const [kept] = (await session) as [Buffer];
      socket.destroy();
      return { status: bytes.toString().split(" ")[1], session: kept, reused: await reused };
    };
    const first = await exchange({});
    const second = await exchange({ session: first.session });
    deepEqual([first.status, second.status, second.reused], ["403", "403", true]);
  });

test("G02 who does not speak TLS, speaks an old one, or hangs up is cut, and the next one is served", async (t) => {
  const { port, raw } = await start(t);
  equal(await raw("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"), "");
  equal(
    await raw(Buffer.from("16030100ff", "hex").toString("latin1") + "x".repeat(300)).then((text) => text.length < 20),
    true,
  );
  const old = connect({ port, host: here, ca, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" });
  const [refusal] = (await once(old, "error")) as [Error];
  match(refusal.message, /protocol version|alert/i);
  equal((await ask(port, "/", member)).status, 200);
});

test("a server that drains closes connections on which nothing was asked, and answers what was", async (t) => {
  const { port, server } = await start(t);
  const idle: TLSSocket = connect({ port, host: here, ca, ...member });
  await once(idle, "secureConnect");
  const closed = once(idle.resume(), "close");
  equal((await ask(port, "/", member)).status, 200);
  equal(await server.drain({ graceMs: 60_000 }), 0);
  await closed;
});
