// The kinds of work: what is sent, and what a right answer is.

import assert from "node:assert/strict";
import { type Answer, ask } from "./ask.ts";
import {
  emailOf,
  itemsPerOrder,
  linesOf,
  ordersOf,
  password,
  productOf,
  regulars,
  type Size,
  totalOf,
} from "./data.ts";
import { freshKey, type Request } from "./load.ts";
import type { Running } from "./targets.ts";

export interface Work {
  readonly name: string;
  readonly about: string;
  requests(target: Running, size: Size): Request[];
  /** Throws when an answer of the target is not what it has to be. */
  check(target: Running, size: Size): Promise<void>;
}

const different = 4_096;
const hot = 1_000;
/** Far apart in the numbers, and every one of them in turn. */
const scattered = (index: number, among: number) => 1 + ((index * 7_919) % among);

export const works: readonly Work[] = [
  {
    name: "W1",
    about: "product by id from the database",
    requests: (target, { products }) => productRequests(target, products),
    check: (target, { products }) => checkProducts(target, [1, scattered(5, products), products]),
  },
  {
    name: "W2",
    about: "a user's newest 20 orders with their items",
    requests: (target) => numbersTo(regulars).map((n) => historyOf(target, n)),
    check: (target, size) => checkHistory(target, size),
  },
  {
    name: "W3",
    about: "checkout of three products",
    requests: (target, { products }) =>
      numbersTo(different).map((n) => checkoutOf(target, 1 + (n % regulars), linesFor(n, products))),
    check: (target, { products }) => checkCheckout(target, products),
  },
  {
    name: "W4",
    about: "product by id from the cache",
    requests: (target, { products }) => productRequests(target, Math.min(hot, products)),
    check: (target) => checkProducts(target, [1, 2, 1, 2]),
  },
  {
    name: "W5",
    about: "the gateway alone, in front of 300 bytes",
    requests: (target, { products }) => productRequests(target, Math.min(hot, products)),
    check: checkGateway,
  },
  {
    name: "W6",
    about: "login",
    requests: () => numbersTo(regulars).map((n) => login(emailOf(n), password)),
    check: checkLogin,
  },
];

const numbersTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
const as = (token: string) => ({ authorization: `Bearer ${token}` });

function productRequests(target: Running, among: number): Request[] {
  return numbersTo(Math.min(different, among)).map((n) => productBy(target, 1 + (n % regulars), scattered(n, among)));
}

function productBy(target: Running, user: number, product: number): Request {
  return { method: "GET", path: `/v1/products/${target.idOf("product", product)}`, headers: as(target.tokens[user]!) };
}

function historyOf(target: Running, user: number): Request {
  const path = `/v1/users/${target.idOf("user", user)}/orders?limit=20`;
  return { method: "GET", path, headers: as(target.tokens[user]!) };
}

const linesFor = (n: number, products: number) =>
  Array.from({ length: itemsPerOrder }, (_, k) => ({
    product: scattered(n * itemsPerOrder + k, products),
    quantity: 1 + ((n + k) % 3),
  }));

function checkoutOf(target: Running, user: number, lines: readonly { product: number; quantity: number }[]): Request {
  const items = lines.map(({ product, quantity }) => ({ productId: target.idOf("product", product), quantity }));
  return {
    method: "POST",
    path: "/v1/orders",
    headers: { ...as(target.tokens[user]!), "content-type": "application/json", "idempotency-key": freshKey },
    body: JSON.stringify({ items }),
  };
}

function login(email: string, secret: string): Request {
  const body = JSON.stringify({ email, password: secret });
  return { method: "POST", path: "/auth/login", headers: { "content-type": "application/json" }, body };
}

async function checkProducts(target: Running, numbers: readonly number[]): Promise<void> {
  for (const n of numbers) {
    const answer = await ask(target.url, productBy(target, 1, n));
    assertAnswered(answer, 200);
    const { id, sku, name, price } = answer.json as Record<string, unknown>;
    assert.deepEqual({ id, sku, name, price }, { id: target.idOf("product", n), ...productOf(n) });
  }
  const [one] = productRequests(target, 1);
  await assertTokenChecked(target, one!);
  const unknown = await ask(target.url, { ...one!, path: `${one!.path.slice(0, -3)}zzz` });
  assert.ok([400, 404, 422].includes(unknown.status), `an id that is none was answered ${unknown.status}`);
}

async function checkGateway(target: Running): Promise<void> {
  const [request] = productRequests(target, 1);
  const answer = await ask(target.url, request!);
  assert.equal(answer.status, 200, `answered ${answer.status}: ${JSON.stringify(answer.json)}`);
  assert.equal(JSON.stringify(answer.json).length, 300);
  // What the limit leaves is told by the service behind, to which the gateway of this project hands it on.
  if (target.checksTokens !== false) await assertTokenChecked(target, request!);
}

async function checkHistory(target: Running, size: Size): Promise<void> {
  for (const user of [1, 2, regulars]) {
    const answer = await ask(target.url, historyOf(target, user));
    assertAnswered(answer, 200);
    const { data } = answer.json as { data: { userId: string; total: number; items: unknown[] }[] };
    const expected = ordersOf(user, size).slice(0, 20);
    assert.equal(data.length, 20);
    assert.ok(
      data.every((order) => order.userId === target.idOf("user", user) && order.items.length === itemsPerOrder),
    );
    // Of one who placed an order in an earlier round, the newest are others.
    const totals = new Set(data.map(({ total }) => total));
    assert.ok(
      totals.has(totalOf(linesOf(expected[0]!, size))),
      "the newest order is not there, or costs something else",
    );
  }
  const request = historyOf(target, 1);
  await assertTokenChecked(target, request);
  const other = await ask(target.url, { ...request, headers: as(target.tokens[2]!) });
  assert.equal(other.status, 404, "somebody else's orders");
}

async function checkCheckout(target: Running, products: number): Promise<void> {
  const lines = linesFor(1, products);
  const request = checkoutOf(target, 1, lines);
  const answer = await ask(target.url, withKey(request, `check-${Date.now()}`));
  assertAnswered(answer, 201);
  const { userId, total, items, status } = answer.json as Record<string, unknown>;
  assert.deepEqual(
    { userId, total, status, lines: (items as unknown[]).length },
    { userId: target.idOf("user", 1), total: totalOf(lines), status: "pending", lines: itemsPerOrder },
  );
  await assertTokenChecked(target, request);
  const bad = await ask(target.url, {
    ...withKey(request, "bad"),
    body: request.body!.replace(/"quantity":\d/, '"quantity":0'),
  });
  assert.ok(bad.status === 400 || bad.status === 422, `a quantity of 0 was answered ${bad.status}`);
}

function withKey(request: Request, key: string): Request {
  return { ...request, headers: { ...request.headers, "idempotency-key": key } };
}

async function checkLogin(target: Running): Promise<void> {
  const answer = await ask(target.url, login(emailOf(1), password));
  assertAnswered(answer, 200);
  const { accessToken } = answer.json as { accessToken: string };
  assert.match(accessToken, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  const wrong = await ask(target.url, login(emailOf(2), "not the password"));
  assert.equal(wrong.status, 401, "a wrong password");
}

function assertAnswered({ status, headers, json }: Answer, expected: number): void {
  assert.equal(status, expected, `answered ${status}: ${JSON.stringify(json)}`);
  // moleculer-web spells them with a dash more.
  for (const name of ["limit", "remaining"])
    assert.match(
      String(headers[`x-ratelimit-${name}`] ?? headers[`x-rate-limit-${name}`]),
      /^\d+$/,
      "no limit headers",
    );
}

async function assertTokenChecked(target: Running, request: Request): Promise<void> {
  const [head, claims, signature] = target.tokens[1]!.split(".");
  const forged = `${head}.${claims}.${signature!.startsWith("A") ? "B" : "A"}${signature!.slice(1)}`;
  const { status } = await ask(target.url, { ...request, headers: { ...request.headers, ...as(forged) } });
  assert.equal(status, 401, "a forged token");
}
