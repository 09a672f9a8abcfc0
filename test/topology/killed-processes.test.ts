// The store as four processes on one machine, each killed in turn while customers buy: none of their orders is
// lost, none is placed twice, and the stock is exact.

import assert from "node:assert/strict";
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
  const stock = 1_000;
  const { json: product } = await store.request("POST", "/v1/products", {
    authorization,
    body: { sku: "KILLED", name: "Survivor", price: 10, currency: "EUR", stock },
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
    await eventually(
      async () => (await store.request("GET", "/health").catch(() => undefined))?.status === 200,
      60_000,
    );
  }
  assert.equal(new Set(ids).size, 4 * ordersOfEach);
  const listed = async (query = "") =>
    (await store.request("GET", `/v1/orders?limit=1${query}`, { authorization })).json.pagination.total;
  await eventually(async () => (await listed("&status=confirmed")) === ids.length, 60_000);
  assert.equal(await listed(), ids.length);
  const left = (await store.request("GET", `/v1/products/${product.id}`)).json.stock;
  // A reservation whose order never came returns by itself, in a minute.
  assert.ok(left <= stock - ids.length && left > stock - 2 * ids.length, `${left} of ${stock} are left`);
  await eventually(
    async () => (await store.request("GET", `/v1/products/${product.id}`)).json.stock === stock - ids.length,
    110_000,
  );
});

test("asked to end, it ends all of them", async () => {
  const pids = Object.values(pidsOf(store));
  assert.equal(await store.stop(), 0);
  assert.deepEqual(pids.filter(isAlive), []);
});
