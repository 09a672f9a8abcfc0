// What docs/guide/running.md promises of each operation is what its contract says, and what happens without its needs.

import { deepEqual, equal, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { AnyOperation } from "ashlar/contract";
import { moving } from "ashlar/testing";
import { contracts } from "../store/services.ts";
import { root } from "./guide/pages.ts";
import { ask, openSide } from "./topology/twin.ts";

const page = readFileSync(`${root}docs/guide/running.md`, "utf8");
const rows = [...page.matchAll(/^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \|([^|]*)\|$/gm)].flatMap(
  ([, names, promise, needs]) =>
    [...names!.matchAll(/`(\w+)`/g)].map(([, name]) => ({
      name: name!,
      promise: promise!.trim(),
      needs: needs!.trim(),
    })),
);
const operations = contracts.flatMap(({ name: service, allOperations }) =>
  Object.entries(allOperations as Record<string, AnyOperation>).map(([name, operation]) => ({
    service,
    name,
    operation,
  })),
);
const rowOf = (name: string) => rows.find((row) => row.name === name)!;

test("the page has every operation once, says of each whether it is cached, repeated by key and for services, as its contract does", () => {
  deepEqual(rows.map(({ name }) => name).toSorted(), operations.map(({ name }) => name).toSorted());
  for (const { name, operation } of operations) {
    const { promise } = rowOf(name);
    const isCached = operation.method === "GET" && (operation.cache ?? operation.resource?.spec.cache) !== undefined;
    equal(/\bcached\b/.test(promise), isCached, name);
    equal(promise.includes("Idempotency-Key"), operation.idempotent, name);
    equal(promise.includes("for services"), operation.access.includes("service"), name);
  }
});

test("without catalog exactly those operations of the others are 503 that the page says need it", async () => {
  const side = await openSide("split");
  const { system } = side;
  const password = "correct horse battery";
  const register = { email: "ann@example.com", password, name: "Ann" };
  await ask(side, { actor: undefined, method: "POST", path: "/v1/users", body: register });
  await system.rows("identity", "update users set roles = '{admin}'");
  const { json } = await system.request("POST", "/auth/login", { body: { email: register.email, password } });
  const authorization = `Bearer ${json.accessToken}`;
  const product = { sku: "A", name: "A", price: 5, currency: "EUR", stock: 10 };
  const { json: made } = await system.request("POST", "/v1/products", { authorization, body: product });
  const items = [{ productId: made.id, quantity: 1 }];
  const { json: order } = await system.request("POST", "/v1/orders", { authorization, body: { items } });
  const putIn = await system.request("PUT", `/v1/users/me/cart/items/${made.id}`, {
    authorization,
    body: { quantity: 1 },
  });
  deepEqual([order.status, putIn.status], ["pending", 200]);
  await system.settled();
  await system.processes.get("catalog")!.stop({ graceMs: 0 });

  const ids: Record<string, string> = { productId: made.id, userId: "me" };
  const bodies: Record<string, object> = {
    setCartItem: { quantity: 2 },
    placeOrder: { items },
    placeOrderOfUser: { items },
  };
  const without: string[] = [];
  for (const { service, name, operation } of operations) {
    if (service === "catalog" || operation.access.includes("service")) continue;
    const id = service === "orders" ? order.id : "me";
    const path = `/v1${operation.path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => ids[parameter] ?? id)}`;
    const isRead = operation.method === "GET";
    const body = isRead ? {} : { body: bodies[name] ?? {} };
    // Who asks must stay, and what is deleted is asked for at the end.
    if (["deleteUser", "logout", "emptyCart", "removeCartItem"].includes(name)) continue;
    const asked = system.request(operation.method, path, { authorization, ...body });
    // Who needs another one tries again in a while.
    const { status } = await moving(system.clock, asked);
    ok(status < 500 || status === 503, `${name}: ${status}`);
    if (status === 503) without.push(name);
  }
  for (const path of [`/v1/users/me/cart/items/${made.id}`, "/v1/users/me/cart", "/v1/users/me"])
    equal((await moving(system.clock, system.request("DELETE", path, { authorization }))).status, 204, path);
  deepEqual(
    without.toSorted(),
    rows
      .filter(({ needs }) => needs === "catalog")
      .map(({ name }) => name)
      .toSorted(),
  );
});
