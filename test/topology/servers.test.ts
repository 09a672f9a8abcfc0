// The NATS and the Redis that the supervisor starts beside the processes of a topology: used by all of them, closed to
// everybody else, started again when they die, and ended with it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { needsNats, needsRedis } from "ashlar/testing";
import { createStoreFolder, eventually, type StoreProcess } from "../store-process.ts";

const needsBoth = { ...needsNats, ...needsRedis, timeout: 120_000 };
const folder = await createStoreFolder();
after(() => folder.remove());

const configuration = (name: string) => readFile(join(folder.directory, name, `${name}.conf`), "utf8");
const portOf = async (name: string) => Number(/^port:? (\d+)$/m.exec(await configuration(name))![1]);
const pidOf = async (name: string) => Number(await readFile(join(folder.directory, name, `${name}.pid`), "utf8"));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** What a server answers to somebody who says only this. */
async function answered(port: number, said: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.on("error", () => {});
  socket.write(said);
  await eventually(async () => /-NOAUTH|-ERR|\+OK|\+PONG|PONG\r/.test(text));
  socket.destroy();
  return text;
}

async function signIn(store: StoreProcess): Promise<string> {
  const body = { email: "admin@example.com", password: "ashlar-demo" };
  return `Bearer ${(await store.request("POST", "/auth/login", { body })).json.accessToken}`;
}

async function buyUntilConfirmed(store: StoreProcess, sku: string): Promise<void> {
  const authorization = await signIn(store);
  const body = { sku, name: sku, price: 10, currency: "EUR", stock: 5 };
  const { json: product } = await store.request("POST", "/v1/products", { authorization, body });
  const items = [{ productId: product.id, quantity: 2 }];
  const { status, json: order } = await store.request("POST", "/v1/orders", { authorization, body: { items } });
  assert.equal(status, 201);
  const read = () => store.request("GET", `/v1/orders/${order.id}`, { authorization });
  await eventually(async () => (await read()).json.status === "confirmed", 60_000);
}

test(
  "a topology uses the installed NATS and Redis, which let nobody else in, come back when they die, and end with it",
  needsBoth,
  async () => {
    const store = await folder.start({}, "--topology", "split", "--bus", "nats", "--cache", "redis");
    await buyUntilConfirmed(store, "THERE");
    for (const name of ["nats", "redis"]) assert.equal((await pidOf(name)) > 1, true);
    const [nats, redis] = [await portOf("nats"), await portOf("redis")];
    assert.match(await answered(nats, 'CONNECT {"verbose":true}\r\nPING\r\n'), /-ERR 'Authorization Violation'/);
    assert.match(await answered(redis, "PING\r\n"), /-NOAUTH/);

    const before = [await pidOf("nats"), await pidOf("redis")];
    for (const pid of before) process.kill(pid, "SIGKILL");
    await eventually(async () => {
      const now = [await pidOf("nats"), await pidOf("redis")];
      const { json } = await store.request("GET", "/health");
      return now.every((pid, index) => pid !== before[index] && isAlive(pid)) && json.status === "healthy";
    }, 30_000);
    await buyUntilConfirmed(store, "BACK");

    const ended = [await pidOf("nats"), await pidOf("redis")];
    assert.equal(await store.stop(), 0);
    assert.deepEqual(ended.map(isAlive), [false, false]);
  },
);

test(
  "two of the store's services in one process and one beside the gateway serve as four processes do",
  { timeout: 120_000 },
  async () => {
    const store = await folder.start({}, "--topology", "pair");
    assert.doesNotMatch(store.output(), /Starting (nats|redis)/);
    await buyUntilConfirmed(store, "PAIR");
    assert.equal((await store.request("GET", "/health")).json.status, "healthy");
    assert.equal(await store.stop(), 0);
  },
);
