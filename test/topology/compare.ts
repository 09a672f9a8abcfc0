// The same requests to two sides, one after the other, and what they answered and left behind compared.

import assert from "node:assert/strict";
import fc from "fast-check";
import { steps } from "./steps.ts";
import { ask, difference, headerNames, left, seen, type Side, type Step } from "./twin.ts";

const password = "correct horse battery";

async function signIn(side: Side): Promise<void> {
  for (const name of ["ann", "ben", "admin"]) {
    const body = { email: `${name}@example.com`, password };
    const { json } = await ask(side, { actor: undefined, method: "POST", path: "/auth/login", body });
    side.actors.set(name, `Bearer ${json.accessToken}`);
  }
}

/** Who asks, and a few products to buy. */
async function populate(side: Side): Promise<void> {
  for (const [index, name] of ["ann", "ben", "admin"].entries()) {
    const email = `${name}@example.com`;
    await ask(side, { actor: undefined, method: "POST", path: "/v1/users", body: { email, password, name } });
    if (name === "admin")
      await side.system.rows("identity", "update users set roles = '{admin}' where email = $1", [email]);
    assert.equal(side.ids.get("usr")!.length, index + 1);
  }
  await signIn(side);
  for (const [sku, price] of [
    ["A-1", 5],
    ["B-2", 7.5],
    ["C-3", 99.99],
  ] as const)
    await ask(side, {
      actor: "admin",
      method: "POST",
      path: "/v1/products",
      body: { sku, name: `Thing ${sku}`, price, currency: "EUR", stock: 500 },
    });
}

/** Asks both sides `requestCount` random requests of the store, and fails on any difference. */
export async function compare(one: Side, many: Side, requestCount: number, seed: number): Promise<void> {
  const both = (run: (side: Side) => Promise<unknown>) => Promise.all([run(one), run(many)]);
  await both(populate);
  const differences: string[] = [];
  const statuses = new Map<number, number>();
  for (const [index, step] of fc.sample(steps, { numRuns: requestCount, seed }).entries()) {
    const [single, split] = await Promise.all([ask(one, step), ask(many, step)]);
    statuses.set(single.status, (statuses.get(single.status) ?? 0) + 1);
    const found = difference(step, seen(one, single), seen(many, split));
    if (found !== undefined) differences.push(found);
    // Events arrive when they arrive; what they change is compared when all of them have.
    if (changesSomething(step)) await both(({ system }) => system.settled());
    if (index % 500 === 499) await both(signIn);
  }
  assert.deepEqual(differences.slice(0, 5), [], `${differences.length} of ${requestCount}`);
  assert.deepEqual(await left(many), await left(one));
  for (const path of ["/.ashlar/calls/identity/identifyApiKey", "/.ashlar/events/catalog", "/.ashlar/"]) {
    const step = { actor: "admin", method: "POST", path, body: {} };
    assert.equal(difference(step, seen(one, await ask(one, step)), seen(many, await ask(many, step))), undefined);
  }
  for (const path of ["/v1/products?limit=2", "/v1/users/me", "/v2/orders", "/health", "/openapi.json", "/nowhere"])
    assert.deepEqual(await headerNames(many, path), await headerNames(one, path), path);
  for (const status of [200, 201, 204, 400, 401, 403, 404, 409, 412, 428])
    assert.ok(statuses.has(status), `${status}: ${JSON.stringify([...statuses])}`);
}

function changesSomething({ method }: Step): boolean {
  return method !== "GET";
}
