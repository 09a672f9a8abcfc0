// The processes of a topology are replaced one by one at sockets that stay: nobody who asks meanwhile notices, not even
// when one of them is killed; and where the next one does not come to serve, the one before goes on.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { createStoreFolder, eventually } from "../store-process.ts";

const folder = await createStoreFolder();
after(() => folder.remove());
const limitsOff = { LIMIT_DEFAULT: "off", LIMIT_ANONYMOUS: "off", LIMIT_AUTH: "off" };
const store = await folder.start(limitsOff, "--topology", "split");
const timeoutMs = 100_000;

/** What the supervisor said last that runs. */
function pids(): Record<string, number> {
  const lines = store
    .output()
    .split("\n")
    .filter((one) => one.includes('"processes":'));
  return (JSON.parse(lines.at(-1)!) as { processes: Record<string, number> }).processes;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

await eventually(async () => store.output().includes('"processes":'), timeoutMs);
const { json: login } = await store.request("POST", "/auth/login", {
  body: { email: "admin@example.com", password: "ashlar-demo" },
});
const authorization = `Bearer ${login.accessToken}`;

test("all processes are replaced, one after the other, and every request meanwhile is answered", async () => {
  const before = pids();
  process.kill(store.pid, "SIGUSR2");
  let asked = 0;
  while (!store.output().includes('"msg":"Restarted"')) {
    const body = { sku: `ROLL-${++asked}`, name: "A thing", price: 5, currency: "EUR", stock: 5 };
    const made = await store.request("POST", "/v1/products", { authorization, body });
    assert.equal(made.status, 201, made.text);
    const items = [{ productId: made.json.id, quantity: 1 }];
    const order = await store.request("POST", "/v1/orders", { authorization, body: { items } });
    assert.equal(order.status, 201, order.text);
    assert.equal((await store.request("GET", "/v1/users/me", { authorization })).status, 200);
  }
  const now = pids();
  assert.deepEqual(Object.keys(now), Object.keys(before));
  for (const [name, pid] of Object.entries(before)) {
    assert.notEqual(now[name], pid, name);
    assert.equal(isAlive(pid), false, name);
  }
});

test("whoever asks while a killed process is started again waits for the next one, and is answered", async () => {
  const { gateway, catalog } = pids();
  for (const pid of [catalog!, gateway!]) {
    process.kill(pid, "SIGKILL");
    await eventually(async () => !isAlive(pid), timeoutMs);
    const { status, text } = await store.request("GET", "/v1/products?limit=1", { headers: { connection: "close" } });
    assert.equal(status, 200, text);
  }
});

test("a process whose successor cannot serve is not ended, and the restart is given up and said", async () => {
  const secret = join(folder.directory, "secret");
  const kept = await readFile(secret);
  await writeFile(secret, "no secret");
  process.kill(store.pid, "SIGUSR2");
  await eventually(async () => store.output().includes("The restart was given up"), timeoutMs);
  assert.equal((await store.request("GET", "/v1/products?limit=1")).status, 200);
  await writeFile(secret, kept);
  assert.equal(await store.stop(), 0);
});
