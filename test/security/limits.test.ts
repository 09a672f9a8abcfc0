// Limits that nobody gets round by saying where they come from, and that tell the truth.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestAnswer } from "ashlar/testing";
import { openStore, password } from "./fixture.ts";

const perMinute = (maxRequests: number) => ({ maxRequests, windowMs: 60_000 });
const store = await openStore({
  settings: { limits: { auth: perMinute(20), anonymous: perMinute(30), default: perMinute(40), machine: "off" } },
});
const behindProxy = await openStore({
  settings: { trustedProxies: ["127.0.0.1"], limits: { auth: perMinute(20), anonymous: perMinute(5) } },
});
const refill = () => store.clock.advance(60_000);

const count = (answers: readonly TestAnswer[], status: number) =>
  answers.filter((answer) => answer.status === status).length;

const forwarding = (index: number): Record<string, string> => {
  const address = `203.0.113.${index}`;
  return [
    { "x-forwarded-for": address },
    { "x-forwarded-for": `${address}, 10.0.0.1` },
    { forwarded: `for=${address};proto=https` },
    { "x-real-ip": address },
    { "cf-connecting-ip": address },
    { "true-client-ip": address },
    { "x-client-ip": address, "x-cluster-client-ip": address },
    { "fastly-client-ip": address, via: address },
  ][index % 8]!;
};

test("G03 two hundred sign-ins with an address made up for each fill one bucket", async () => {
  await refill();
  const answers: TestAnswer[] = [];
  for (let index = 0; index < 200; index++) {
    const body = { email: `somebody.${index}@example.com`, password };
    answers.push(await store.request("POST", "/auth/login", { body, headers: forwarding(index) }));
  }
  assert.deepEqual([count(answers, 401), count(answers, 429)], [20, 180]);
  assert.ok(answers.slice(0, 20).every(({ status }) => status === 401));
});

test("G03 requests without a token share one bucket too, and behind a trusted proxy each client has its own", async () => {
  await refill();
  const read = (index: number) => store.request("GET", "/v1/products", { headers: forwarding(index) });
  const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => read(index)));
  assert.deepEqual([count(answers, 200), count(answers, 429)], [30, 30]);
  const from = (address: string) =>
    behindProxy.request("GET", "/v1/products", { headers: { "x-forwarded-for": address } });
  for (let time = 0; time < 5; time++) assert.equal((await from("203.0.113.7")).status, 200);
  // What the client wrote itself stands before what the proxy saw, and is not believed.
  assert.deepEqual([(await from("203.0.113.7")).status, (await from("198.51.100.1, 203.0.113.7")).status], [429, 429]);
  assert.equal((await from("203.0.113.8")).status, 200);
});

test("G04 the addresses of one IPv6 /64 fill one bucket, and its neighbour has another", async () => {
  const from = (address: string) =>
    behindProxy.request("GET", "/v1/products", { headers: { "x-forwarded-for": address } });
  const inside = await Promise.all(
    Array.from({ length: 50 }, (_, index) => from(`2001:db8:1:2:${index}:beef::${index}`)),
  );
  assert.deepEqual([count(inside, 200), count(inside, 429)], [5, 45]);
  assert.equal((await from("2001:db8:1:3::1")).status, 200);
  // IPv4 in the clothes of IPv6 is the IPv4 address it is.
  for (let time = 0; time < 5; time++) await from("203.0.113.99");
  assert.equal((await from("::ffff:203.0.113.99")).status, 429);
});

test("G14 the headers of a limit tell the truth down to 429, and after Retry-After the request passes", async () => {
  await refill();
  // Another account each time, since failures of one are counted as well.
  let tried = 0;
  const ask = () =>
    store.request("POST", "/auth/login", { body: { email: `nobody.${++tried}@example.com`, password } });
  for (let left = 19; left >= 0; left--) {
    const { status, headers } = await ask();
    assert.deepEqual(
      [status, headers.get("x-ratelimit-limit"), headers.get("x-ratelimit-remaining")],
      [401, "20", `${left}`],
    );
    const resetMs = Number(headers.get("x-ratelimit-reset")) * 1_000;
    assert.ok(resetMs > store.clock.nowMs() && resetMs <= store.clock.nowMs() + 60_000);
    assert.match(headers.get("ratelimit")!, new RegExp(`r=${left}\\b`));
  }
  const refused = await ask();
  assert.deepEqual([refused.status, refused.json.error.code], [429, "RATE_LIMITED"]);
  assert.equal(refused.headers.get("x-ratelimit-remaining"), "0");
  const retryAfter = Number(refused.headers.get("retry-after"));
  assert.ok(retryAfter >= 1 && retryAfter <= 60);
  await store.clock.advance(retryAfter * 1_000);
  assert.equal((await ask()).status, 401);
});

test("B18 registrations from one address, and carts of one account, are limited; others go on meanwhile", async () => {
  await refill();
  const register = (index: number) =>
    store.request("POST", "/v1/users", { body: { email: `spam.${index}@example.com`, password, name: "Spam" } });
  const registered = await Promise.all(Array.from({ length: 50 }, (_, index) => register(index)));
  assert.deepEqual([count(registered, 201), count(registered, 429)], [20, 30]);

  await refill();
  const [ann, bob] = [await store.signIn("spam.0@example.com"), await store.signIn("spam.1@example.com")];
  await refill();
  const cart = ({ authorization }: typeof ann) => store.request("DELETE", "/v1/users/me/cart", { authorization });
  const emptied = await Promise.all(Array.from({ length: 60 }, () => cart(ann)));
  assert.deepEqual([count(emptied, 204), count(emptied, 429)], [40, 20]);
  assert.equal((await cart(bob)).status, 204);
});
