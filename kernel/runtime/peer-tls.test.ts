import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createManualClock, systemClock } from "../base/index.ts";
import { createAuthority } from "../testing/certificates.ts";
import { createApp } from "./app.ts";
import { checkPlace, readPeerTls } from "./peer-tls.ts";
import { placeIn, single, type Topology } from "./topology.ts";

const folder = await mkdtemp(join(tmpdir(), "ashlar-peer-tls-"));
after(() => rm(folder, { recursive: true, force: true }));
const authority = createAuthority();
const good = authority.issue("127.0.0.1");
let written = 0;

async function file(text: string): Promise<string> {
  const path = join(folder, `${++written}.pem`);
  await writeFile(path, text);
  return path;
}

/** Reads these files, the good ones where nothing else is said. */
async function read(texts: { cert?: string; key?: string; ca?: string }, clock = systemClock) {
  const { cert, key, ca } = { ...good, ca: authority.cert, ...texts };
  return readPeerTls(
    { PEER_TLS_CERT: await file(cert), PEER_TLS_KEY: await file(key), PEER_TLS_CA: await file(ca) },
    clock,
  );
}

test("a certificate, its key and an authority are read, and so are two authorities while one follows the other", async () => {
  deepEqual(await read({}), { ...good, ca: authority.cert });
  const both = `${authority.cert}${createAuthority("next").cert}`;
  equal((await read({ ca: both })).ca, both);
});

test("S10 files that cannot be used are refused at the start, by the name of the variable and without their content", async () => {
  const missing = join(folder, "missing.pem");
  const files = { PEER_TLS_CERT: missing, PEER_TLS_KEY: await file(good.key), PEER_TLS_CA: folder };
  await rejects(readPeerTls(files, systemClock), (error: Error) => {
    deepEqual(error.message.split("\n").slice(1), [
      `  PEER_TLS_CERT cannot be read: ${missing} (ENOENT)`,
      `  PEER_TLS_CA cannot be read: ${folder} (EISDIR)`,
    ]);
    return true;
  });
  await rejects(read({ cert: "", key: "secret", ca: good.key }), (error: Error) => {
    deepEqual(error.message.split("\n").slice(1), [
      "  PEER_TLS_CERT is not a certificate in PEM",
      "  PEER_TLS_KEY is not a key in PEM, without a passphrase",
      "  PEER_TLS_CA is not a certificate in PEM",
    ]);
    return true;
  });
  await rejects(read({ key: authority.issue("127.0.0.1").key }), /PEER_TLS_KEY is not the key of PEER_TLS_CERT/);
});

test("a certificate that is not valid now is refused at the start, and not at the first call", async () => {
  await rejects(
    read(authority.issue("127.0.0.1", { to: "20210101000000Z" })),
    /PEER_TLS_CERT was valid until Jan {2}1/,
  );
  await rejects(
    read({}, createManualClock(Date.UTC(2019, 0, 1))),
    /PEER_TLS_CERT is valid from Jan {2}1 00:00:00 2020/,
  );
});

const topology: Topology = {
  gateway: { services: [], gateway: true, port: 3000 },
  notes: { services: ["notes"], port: 3001 },
};

test("an app that is always one process has nobody to know, and no such variables", () => {
  const app = createApp({ name: "empty", services: [], topologies: {} });
  equal("PEER_TLS_CERT" in app.variables, false);
  equal(app.readSettings({ PEER_TLS_CERT: "/c.pem" }).system.peerTls, undefined);
});

test("whoever would be reached without TLS is named, and so is a gateway that has services", () => {
  const urls = { notes: "http://10.0.0.7:3001" };
  throws(
    () => checkPlace(placeIn(topology, "gateway", urls), false),
    /http:\/\/10\.0\.0\.7:3001 would be reached without/,
  );
  checkPlace(placeIn(topology, "gateway", { notes: "https://10.0.0.7:3001" }), false);
  const front: Topology = { ...topology, gateway: { services: ["users"], gateway: true, port: 3000 } };
  throws(() => checkPlace(placeIn(front, "gateway", { notes: "https://a" }), true), /a process of their own/);
  checkPlace(single, true);
});
