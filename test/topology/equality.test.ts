// Nobody can tell from outside whether the store is one process or many.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { steps } from "./steps.ts";
import { ask, difference, headerNames, left, openSide, seen, type Side, type Step } from "./twin.ts";

const requestCount = 5_000;
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

test(`the store as one process and as many answers ${requestCount.toLocaleString("en")} random requests alike, and leaves the same rows and events`, async () => {
  const [one, many] = [await openSide("single"), await openSide("split")];
  const both = (run: (side: Side) => Promise<unknown>) => Promise.all([run(one), run(many)]);
  await both(populate);
  const differences: string[] = [];
  const statuses = new Map<number, number>();
  const sample = fc.sample(steps, { numRuns: requestCount, seed: 20_261_124 });
  for (const [index, step] of sample.entries()) {
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
});

function changesSomething({ method }: Step): boolean {
  return method !== "GET";
}
