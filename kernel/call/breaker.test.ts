import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock } from "../base/index.ts";
import type { Failure } from "../contract/index.ts";
import { createBreaker, type Verdict } from "./breaker.ts";

function setUp() {
  const clock = createManualClock();
  const changes: string[] = [];
  const breaker = createBreaker({ service: "catalog", clock, onChange: (state) => changes.push(state) });
  const calls = (verdict: Verdict, count: number) => {
    for (let made = 0; made < count; made++) breaker.end(breaker.begin(), verdict);
  };
  return { clock, changes, breaker, calls };
}

function refusedFor(seconds: number) {
  return (error: Failure) => {
    deepEqual([error.code, error.status, error.headers["retry-after"]], ["UNAVAILABLE", 503, String(seconds)]);
    return true;
  };
}

test("it opens when half of ten calls found the service ill, and says when to come back", async () => {
  const { clock, changes, breaker, calls } = setUp();
  calls("well", 5);
  calls("ill", 4);
  breaker.check();
  calls("ill", 1);
  throws(breaker.check, refusedFor(5));
  throws(breaker.begin, refusedFor(5));
  await clock.advance(3_500);
  throws(breaker.check, refusedFor(2));
  deepEqual(changes, ["open"]);
});

test("few calls open nothing, nor do those of callers that gave up, nor what is longer ago than ten seconds", async () => {
  const { clock, breaker, calls } = setUp();
  calls("ill", 9);
  await clock.advance(10_000);
  calls("well", 1);
  calls("ill", 8);
  calls("neither", 20);
  breaker.check();
  calls("well", 20);
  calls("ill", 9);
  breaker.check();
});

test("ten in a row are enough, however many were well before", () => {
  const { changes, calls } = setUp();
  calls("well", 1_000);
  calls("ill", 9);
  calls("neither", 5);
  deepEqual(changes, []);
  calls("ill", 1);
  deepEqual(changes, ["open"]);
});

test("half open it lets three probes through at a time, and closes when three of them found it well", async () => {
  const { clock, changes, breaker, calls } = setUp();
  calls("ill", 10);
  await clock.advance(5_000);
  const probes = [breaker.begin(), breaker.begin(), breaker.begin()];
  throws(breaker.begin, refusedFor(1));
  breaker.end(probes[0]!, "neither");
  breaker.end(probes[1]!, "well");
  probes.push(breaker.begin(), breaker.begin());
  throws(breaker.begin, refusedFor(1));
  breaker.end(probes[2]!, "well");
  deepEqual(changes, ["open", "half-open"]);
  breaker.end(probes[3]!, "well");
  deepEqual(changes, ["open", "half-open", "closed"]);
  calls("well", 100);
});

test("one probe that finds it ill opens it again, and the other probes are not asked any more", async () => {
  const { clock, changes, breaker, calls } = setUp();
  calls("ill", 10);
  await clock.advance(5_000);
  const [first, second, third] = [breaker.begin(), breaker.begin(), breaker.begin()];
  breaker.end(first, "ill");
  for (const late of [second, third]) breaker.end(late, "well");
  throws(breaker.check, refusedFor(5));
  await clock.advance(5_000);
  breaker.check();
  deepEqual(changes, ["open", "half-open", "open", "half-open"]);
});

test("a call that began while it was closed says nothing about it later", async () => {
  const { clock, changes, breaker, calls } = setUp();
  const [slow, slower] = [breaker.begin(), breaker.begin()];
  calls("ill", 10);
  breaker.end(slow, "well");
  await clock.advance(5_000);
  const probe = breaker.begin();
  breaker.end(slower, "ill");
  breaker.end(probe, "well");
  equal(changes.at(-1), "half-open");
});
