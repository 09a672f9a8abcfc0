// The store as processes that show each other certificates: nothing changes for clients, and nobody else gets in.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as secureRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { createAuthority } from "../../kernel/testing/certificates.ts";
import { createStoreFolder, eventually } from "../store-process.ts";
import { steps } from "./steps.ts";
import { ask, difference, left, openSide, seen, type Side } from "./twin.ts";

const here = "127.0.0.1";
const authority = createAuthority();
const folder = await mkdtemp(join(tmpdir(), "ashlar-tls-"));
after(() => rm(folder, { recursive: true, force: true }));

async function filesOf({ cert, key }: { cert: string; key: string }) {
  const [certFile, keyFile, caFile] = ["cert.pem", "key.pem", "ca.pem"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all([writeFile(certFile, cert), writeFile(keyFile, key), writeFile(caFile, authority.cert)]);
  return { PEER_TLS_CERT: certFile, PEER_TLS_KEY: keyFile, PEER_TLS_CA: caFile };
}

const many = await openSide("split", { settings: { peerTls: await filesOf(authority.issue(here)) } });
const password = "correct horse battery";

async function populate(side: Side): Promise<void> {
  for (const name of ["ann", "ben", "admin"]) {
    const email = `${name}@example.com`;
    await ask(side, { actor: undefined, method: "POST", path: "/v1/users", body: { email, password, name } });
    if (name === "admin")
      await side.system.rows("identity", "update users set roles = '{admin}' where email = $1", [email]);
    const body = { email, password };
    const { json } = await ask(side, { actor: undefined, method: "POST", path: "/auth/login", body });
    side.actors.set(name, `Bearer ${json.accessToken}`);
  }
  const product = { sku: "A-1", name: "Thing", price: 5, currency: "EUR", stock: 500 };
  await ask(side, { actor: "admin", method: "POST", path: "/v1/products", body: product });
}

test("G02 by TLS, what clients see and what is stored is the same as in one process", async () => {
  const one = await openSide("single");
  await Promise.all([populate(one), populate(many)]);
  const differences: string[] = [];
  for (const step of fc.sample(steps, { numRuns: 200, seed: 20_261_124 })) {
    const [single, split] = await Promise.all([ask(one, step), ask(many, step)]);
    const found = difference(step, seen(one, single), seen(many, split));
    if (found !== undefined) differences.push(found);
    if (step.method !== "GET") await Promise.all([one.system.settled(), many.system.settled()]);
  }
  assert.deepEqual(differences, []);
  assert.deepEqual(await left(many), await left(one));
  assert.equal((await many.system.request("GET", "/health")).json.status, "healthy");
});

async function knock(process: string, path: string, shown: object = {}) {
  const { port } = new URL(many.system.processes.get(process)!.url);
  const asked = secureRequest({ host: here, port, path, ca: authority.cert, agent: false, ...shown }).end();
  const [answer] = await once(asked, "response");
  answer.resume();
  return answer.statusCode as number;
}

test("G02 the port of a service serves nobody without a certificate of the system, and with one still nobody without the gateway's word", async () => {
  const stranger = createAuthority().issue(here);
  for (const process of ["identity", "catalog", "orders"]) {
    assert.match(many.system.processes.get(process)!.url, /^https:/);
    for (const path of ["/v1/products", "/.ashlar/calls/identity/endedTokens", "/health"]) {
      assert.equal(await knock(process, path), 403);
      assert.equal(await knock(process, path, stranger), 403);
    }
    for (const probe of ["/health/live", "/health/ready"]) assert.equal(await knock(process, probe), 200);
    assert.equal((await knock(process, "/.ashlar/events/catalog", authority.issue(here))) >= 401, true);
  }
});

test("processes of one machine know each other by the files they are told of, and one that comes back by those that are there then", async () => {
  const files = await filesOf(authority.issue(here));
  const store = await createStoreFolder(undefined, { ...files, LIMIT_AUTH: "off" });
  after(() => store.remove());
  const { request, output, stop } = await store.start({}, "--topology", "split");
  await eventually(async () => output().includes('"processes":'));
  const line = output()
    .split("\n")
    .find((one) => one.includes('"processes":'))!;
  const { processes } = JSON.parse(line) as { processes: Record<string, number> };
  const login = { body: { email: "member@example.com", password: "ashlar-demo" } };
  const { json: tokens } = await request("POST", "/auth/login", login);
  const orders = () => request("GET", "/v1/orders", { authorization: `Bearer ${tokens.accessToken}` });
  assert.equal((await orders()).status, 200);
  await filesOf(authority.issue(here));
  process.kill(processes["orders"]!, "SIGKILL");
  await eventually(async () => output().includes("A process ended and is started again"));
  await eventually(async () => (await orders()).status === 200, 60_000);
  assert.equal((await request("GET", "/health")).json.status, "healthy");
  assert.equal(await stop(), 0);
});
