// What becomes of a request when a service that it needs is slow, fails, hangs or is given up: the same in one process
// as in many.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallTarget } from "ashlar/call";
import { errors, Failure } from "ashlar/contract";
import { moving, startTestSystem, type TestSystem } from "ashlar/testing";
import { apiKeys, contracts, endedTokens, services } from "../../store/services.ts";

type Invoke = CallTarget["invoke"];
/** What stands between orders and catalog: nothing, unless a test says so. */
type Fault = (name: string, invoke: () => ReturnType<Invoke>) => ReturnType<Invoke>;

interface Store {
  readonly system: TestSystem;
  fault: Fault;
  /** How often catalog was asked. */
  asked: number;
}

async function openStore(topology: "single" | "split"): Promise<Store> {
  const through: Fault = (_name, invoke) => invoke();
  const store = { fault: through, asked: 0 };
  const system = await startTestSystem({
    topology,
    definition: { name: "store", title: "Store", version: "0.0.0", contracts, apiKeys, endedTokens, services },
    faults: (service, target) => ({
      invoke(name, input, call) {
        if (service !== "catalog") return target.invoke(name, input, call);
        store.asked++;
        return store.fault(name, () => target.invoke(name, input, call));
      },
    }),
  });
  return Object.assign(store, { system });
}

const unavailable = () => new Failure(errors.unavailable, "Catalog is down", { headers: { "retry-after": "1" } });
const hanging: Fault = () => new Promise(() => {});
const through: Fault = (_name, invoke) => invoke();

for (const topology of ["single", "split"] as const) {
  const store = await openStore(topology);
  const { system } = store;
  const { clock } = system;
  const admin = { authorization: await system.authorization({ roles: ["admin"] }) };
  const member = { authorization: await system.authorization() };
  const made = await system.request("POST", "/v1/products", {
    ...admin,
    body: { sku: "MUG-1", name: "A mug", price: 5, currency: "EUR", stock: 1_000 },
  });
  const productId: string = made.json.id;
  const checkout = () =>
    system.request("POST", "/v1/orders", { ...member, body: { items: [{ productId, quantity: 1 }] } });
  const ended = async (answer: ReturnType<typeof checkout>) => {
    const { status, json, headers } = await answer;
    return [status, json.error?.code, headers.get("retry-after")];
  };
  const until = async (check: () => boolean | Promise<boolean>) => {
    while (!(await check())) await clock.advance(0);
  };
  const stock = async () => Number((await system.rows("catalog", "select stock from products"))[0]!.stock);

  test(`${topology}: a call that failed once is tried again, and takes effect once`, async () => {
    const before = await stock();
    store.asked = 0;
    let failures = 1;
    // The first try arrives, and its answer is lost.
    store.fault = async (_name, invoke) => {
      const result = await invoke();
      if (failures-- > 0) throw unavailable();
      return result;
    };
    assert.deepEqual(await ended(moving(clock, checkout())), [201, undefined, null]);
    assert.deepEqual([store.asked, before - (await stock())], [2, 1]);
    store.fault = through;
  });

  test(`${topology}: what fails deeper down is repeated by nobody above`, async () => {
    store.asked = 0;
    store.fault = async () => {
      throw new Failure(errors.unavailable, "What catalog needs is down", { hops: 1 });
    };
    assert.deepEqual(await ended(checkout()), [503, "UNAVAILABLE", null]);
    assert.equal(store.asked, 1);
    store.fault = through;
  });

  test(`${topology}: a service that hangs fails a checkout at the time the contract gives the call, then is not asked; probes find it well`, async () => {
    store.fault = hanging;
    store.asked = 0;
    // Enough of them are well so far that a few alone would not do.
    const first = Array.from({ length: 20 }, checkout);
    await until(() => store.asked === 20);
    await clock.advance(1_999);
    assert.equal(await Promise.race([Promise.all(first), Promise.resolve("none")]), "none");
    await clock.advance(1);
    for (const answer of first) assert.deepEqual(await ended(answer), [504, "DEADLINE_EXCEEDED", null]);
    assert.deepEqual(await ended(checkout()), [503, "UNAVAILABLE", "5"]);
    assert.equal(store.asked, 20);
    // The service itself is not ill, nor is anything else of orders.
    assert.equal((await system.request("GET", "/v1/products")).status, 200);
    assert.equal((await system.request("GET", "/v1/orders", member)).status, 200);

    store.fault = through;
    await clock.advance(5_000);
    for (let probe = 0; probe < 3; probe++) assert.equal((await checkout()).status, 201);
    assert.equal((await checkout()).status, 201);
    assert.equal(store.asked, 24);
  });

  test(`${topology}: a service that is slow but in time is waited for`, async () => {
    const arrived = Promise.withResolvers<void>();
    store.fault = async (_name, invoke) => {
      arrived.resolve();
      await clock.sleep(1_900);
      return invoke();
    };
    const answer = checkout();
    await arrived.promise;
    await clock.advance(1_900);
    assert.deepEqual(await ended(answer), [201, undefined, null]);
    store.fault = through;
  });

  /** Statements that wait for a lock in the database of a service. */
  const waiting = async (service: string) => {
    const { database } = system.system.services.get(service)!.parts;
    const { rows } = await database.transaction((tx) =>
      tx.query<{ count: number }>(
        "select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      ),
    );
    return rows[0]!.count;
  };
  /** Holds the lock while `run` runs. By itself a statement would wait for five seconds. */
  const locking = (service: string, lock: string, run: () => Promise<void>) =>
    system.system.services.get(service)!.parts.database.transaction(async (tx) => {
      await tx.query(lock);
      await run();
    });
  const abortable = (method: string, path: string, body?: object) => {
    const gone = new AbortController();
    const answer = fetch(`${system.url}${path}`, {
      method,
      headers: { ...member, ...(body ? { "content-type": "application/json" } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: gone.signal,
    });
    return { gone, answer };
  };
  /** The statement must end long before it would have given up by itself. */
  const endsSoon = async (service: string) => {
    const startedMs = performance.now();
    // Statements of readers get a moment more.
    while ((await waiting(service)) > 0) await clock.advance(10);
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs < 2_500, `${tookMs} ms`);
  };

  test(`${topology}: when the client goes away, the statement it waited for is cancelled, two services away`, async () => {
    await locking("catalog", "select 1 from products for update", async () => {
      const { gone, answer } = abortable("POST", "/v1/orders", { items: [{ productId, quantity: 1 }] });
      await until(async () => (await waiting("catalog")) === 1);
      gone.abort();
      await assert.rejects(answer, { name: "AbortError" });
      await endsSoon("catalog");
    });
    await system.settled();
  });

  test(`${topology}: when the deadline of a call passes, its statement is cancelled, and the next one gets its locks`, async () => {
    await locking("catalog", "select 1 from products for update", async () => {
      const answer = checkout();
      await until(async () => (await waiting("catalog")) === 1);
      await clock.advance(2_000);
      assert.deepEqual(await ended(answer), [504, "DEADLINE_EXCEEDED", null]);
      await endsSoon("catalog");
    });
    assert.equal((await moving(clock, checkout())).status, 201);
  });

  test(`${topology}: a read that its client no longer waits for is cancelled, and those behind it are answered`, async () => {
    // Events of the checkouts before would wait for the same lock.
    await system.settled();
    await locking("orders", "lock table orders in access exclusive mode", async () => {
      const { gone, answer } = abortable("GET", "/v1/orders");
      await until(async () => (await waiting("orders")) > 0);
      gone.abort();
      await assert.rejects(answer, { name: "AbortError" });
      await endsSoon("orders");
    });
    assert.equal((await system.request("GET", "/v1/orders", member)).status, 200);
  });
}
