// The store as four processes under their supervisor, and what comes back, or ends, when one of them is killed. That
// no order is lost or doubled meanwhile, whatever else is killed, is counted in test/faults/.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import type { TestAnswer } from "ashlar/testing";
import { createStoreFolder, eventually, type StoreProcess } from "../store-process.ts";

const folder = await createStoreFolder();
after(() => folder.remove());
const limitsOff = { LIMIT_DEFAULT: "off", LIMIT_ANONYMOUS: "off", LIMIT_AUTH: "off" };
const store = await folder.start(limitsOff, "--topology", "split");
const ordersOfEach = 12;

/** What the supervisor said that it started. */
function pidsOf({ output }: StoreProcess): Record<string, number> {
  const line = output()
    .split("\n")
    .find((one) => one.includes('"processes":'))!;
  return (JSON.parse(line) as { processes: Record<string, number> }).processes;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** As a client that has only its key: again until an answer says what became of it. */
async function untilAnswered(ask: () => Promise<TestAnswer>): Promise<TestAnswer> {
  let last: TestAnswer | undefined;
  await eventually(async () => {
    last = await ask().catch(() => undefined);
    return last !== undefined && last.status < 500 && last.json?.error?.code !== "IDEMPOTENCY_IN_PROGRESS";
  }, 60_000);
  return last!;
}

const logIn = async (email: string) =>
  `Bearer ${(await untilAnswered(() => store.request("POST", "/auth/login", { body: { email, password: "ashlar-demo" } }))).json.accessToken}`;

test("whichever process is killed while customers buy, it is started again, and every order is there once", async () => {
  await eventually(async () => store.output().includes('"processes":'));
  const authorization = await logIn("admin@example.com");
  const { json: product } = await store.request("POST", "/v1/products", {
    authorization,
    body: { sku: "KILLED", name: "Survivor", price: 10, currency: "EUR", stock: 1_000 },
  });
  const buy = (key: string) =>
    untilAnswered(() =>
      store.request("POST", "/v1/orders", {
        authorization,
        headers: { "idempotency-key": key },
        body: { items: [{ productId: product.id, quantity: 1 }] },
      }),
    );
  const ids: string[] = [];
  for (const [name, pid] of Object.entries(pidsOf(store))) {
    const buying = Array.from({ length: ordersOfEach }, (_, index) => buy(`${name}-${index}`));
    process.kill(pid, "SIGKILL");
    for (const { status, json, text } of await Promise.all(buying)) {
      assert.equal(status, 201, `${name}: ${text}`);
      ids.push(json.id);
    }
    await healthyAgain();
  }
  assert.equal(new Set(ids).size, 4 * ordersOfEach);
  const { json: listed } = await store.request("GET", "/v1/orders?limit=1", { authorization });
  assert.equal(listed.pagination.total, ids.length);
});

const healthyAgain = () =>
  eventually(async () => (await store.request("GET", "/health").catch(() => undefined))?.status === 200, 60_000);

test("the PostgreSQL of the folder, killed, is started again under them", async () => {
  const record = join(folder.directory, "postgres", "postmaster.pid");
  const pidOf = async () => Number((await readFile(record, "utf8").catch(() => "")).split("\n")[0]);
  const killed = await pidOf();
  process.kill(killed, "SIGKILL");
  await eventually(async () => ![0, killed].includes(await pidOf()), 60_000);
  await healthyAgain();
  assert.match(store.output(), /The embedded PostgreSQL server ended its sessions/);
});

test("asked to end, it ends all of them", async () => {
  const pids = Object.values(pidsOf(store));
  assert.equal(await store.stop(), 0);
  assert.deepEqual(pids.filter(isAlive), []);
});

/** The processes that one has started and that live. */
function childrenOf(pid: number): number[] {
  return execFileSync("ps", ["-A", "-o", "ppid=,pid=,args="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([parent, , ...words]) => Number(parent) === pid && words.includes("--process"))
    .map(([, child]) => Number(child));
}

test("when the supervisor itself is killed, before they serve, its processes end by themselves", async () => {
  const starting = folder.start(limitsOff, "--topology", "split");
  starting.catch(() => {});
  const pid = await folder.latestPid();
  await eventually(async () => childrenOf(pid).length === 4, 60_000);
  const children = childrenOf(pid);
  process.kill(pid, "SIGKILL");
  await eventually(async () => !children.some(isAlive), 60_000);
  await assert.rejects(starting);
});
