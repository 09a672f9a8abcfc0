import { equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock } from "../base/index.ts";
import { createLimiter } from "./limiter.ts";

const policy = { maxRequests: 3, windowMs: 3_000 };

test("each key has its own bucket, in each class", async () => {
  const limiter = createLimiter({ classes: { default: policy, auth: policy }, clock: createManualClock() });
  for (let count = 0; count < 3; count++) ok((await limiter.take("default", "usr_1"))!.allowed);
  equal((await limiter.take("default", "usr_1"))!.allowed, false);
  ok((await limiter.take("default", "usr_2"))!.allowed);
  ok((await limiter.take("auth", "usr_1"))!.allowed);
});

test("G14 after Retry-After the request passes", async () => {
  const clock = createManualClock();
  const limiter = createLimiter({ classes: { default: policy }, clock });
  await limiter.take("default", "usr_1", 3);
  const { retryAfterMs } = (await limiter.take("default", "usr_1"))!;
  await clock.advance(retryAfterMs);
  ok((await limiter.take("default", "usr_1"))!.allowed);
});

test("of a thousand at once exactly the capacity passes", async () => {
  const limiter = createLimiter({
    classes: { default: { maxRequests: 100, windowMs: 60_000 } },
    clock: createManualClock(),
  });
  const decisions = await Promise.all(
    Array.from({ length: 1_000 }, async () => limiter.take("default", "198.51.100.7")),
  );
  equal(decisions.filter((decision) => decision!.allowed).length, 100);
});

test("a class that is off limits nothing; an unknown class is a mistake", async () => {
  const limiter = createLimiter({ classes: { default: "off" }, clock: createManualClock() });
  for (let count = 0; count < 10; count++) equal(await limiter.take("default", "usr_1"), undefined);
  throws(() => limiter.take("auth", "usr_1"), /no rate class "auth"/);
  throws(() => limiter.take("toString", "usr_1"), /no rate class/);
  throws(() => createLimiter({ classes: { default: { maxRequests: 0, windowMs: 1 } }, clock: createManualClock() }));
});

test("an exhausted bucket outlives a flood of ten thousand other keys, in its class and in others", async () => {
  const limiter = createLimiter({
    classes: { auth: policy, default: policy },
    clock: createManualClock(),
    maxKeys: 100,
  });
  await limiter.take("auth", "attacker", 3);
  for (let index = 0; index < 10_000; index++) {
    await limiter.take("auth", `address ${index}`);
    await limiter.take("default", `address ${index}`);
  }
  equal((await limiter.take("auth", "attacker"))!.allowed, false);
});

test("buckets that are full again make room before any other does", async () => {
  const clock = createManualClock();
  const limiter = createLimiter({ classes: { default: policy }, clock, maxKeys: 100 });
  for (let index = 0; index < 50; index++) await limiter.take("default", `old ${index}`, 3);
  await clock.advance(3_000);
  for (let index = 0; index < 60; index++) await limiter.take("default", `new ${index}`);
  for (let index = 0; index < 60; index++)
    equal((await limiter.take("default", `new ${index}`, 0))!.remaining, 2, "none of the new ones was forgotten");
});

test("N13 a key of any length and content is one bucket, and takes the memory of a short one", async () => {
  const limiter = createLimiter({
    classes: { default: { maxRequests: 5, windowMs: 1_000 } },
    clock: createManualClock(),
  });
  const long = "x".repeat(1024 * 1024);
  for (const key of [long, `${long}y`, "a\r\nb", "{a}", "", "\ud800", "__proto__"]) {
    equal((await limiter.take("default", key))!.remaining, 4);
    equal((await limiter.take("default", key))!.remaining, 3);
  }
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < 100; index++) await limiter.take("default", `${index}${long}`);
  ok(process.memoryUsage().heapUsed - before < 50 * 1024 * 1024);
});
