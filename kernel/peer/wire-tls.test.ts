import { deepEqual, equal, rejects } from "node:assert/strict";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { after, test } from "node:test";
import { createManualClock, systemRandom } from "../base/index.ts";
import { certificateFor, createAuthority, type Certificate } from "../testing/certificates.ts";
import { createPeerTokens } from "./tokens.ts";
import { createWire } from "./wire.ts";

const here = "127.0.0.1";
const authority = createAuthority();
const { cert: ca } = authority;
const tokens = createPeerTokens({ secret: new Uint8Array(32), clock: createManualClock() });
const limits = { signal: new AbortController().signal, remainingMs: () => 1_000 };

/** A peer with this certificate, which answers what it was shown; and a wire to it. */
async function peer(certificate: Certificate) {
  let asked = 0;
  const server = createServer(
    { ...certificate, ca, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      asked += 1;
      const { authorized } = request.socket as TLSSocket;
      response.end(JSON.stringify(request.url === "/health" ? { status: "healthy" } : { value: { authorized } }));
    },
  );
  await new Promise<void>((resolve) => server.listen(0, here, resolve));
  const origin = `https://${here}:${(server.address() as AddressInfo).port}`;
  const wire = createWire({
    urlOf: () => origin,
    tokens,
    tls: { ...authority.issue(here), ca },
    clock: createManualClock(),
    random: systemRandom,
  });
  after(async () => {
    await wire.close();
    server.closeAllConnections();
    server.close();
  });
  const post = () => wire.post("orders", "/x", { use: "call orders.x" }, {}, limits);
  return { post, health: () => wire.read(origin, "/health", limits.signal), asked: () => asked };
}

test("a peer with a certificate of the authority for its address is asked, and shown ours", async () => {
  const { post, health } = await peer(authority.issue(here));
  deepEqual(await post(), { authorized: true });
  deepEqual(await health(), { status: "healthy" });
});

const impostors: [who: string, certificate: Certificate][] = [
  ["a certificate of another authority", createAuthority().issue(here)],
  ["one that vouches for itself", certificateFor(here)],
  ["one for another address", authority.issue("192.0.2.1")],
  ["one that has expired", authority.issue(here, { to: "20210101000000Z" })],
];

for (const [who, certificate] of impostors)
  test(`G02 who answers with ${who} is told nothing, and counts as not reached`, async () => {
    const { post, health, asked } = await peer(certificate);
    await rejects(post(), { code: "UNAVAILABLE" });
    await rejects(health());
    equal(asked(), 0);
  });
