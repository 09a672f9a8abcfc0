import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock } from "../base/index.ts";
import { createPatience } from "./patience.ts";
import { RedisDown } from "./redis-down.ts";

function start(msMax = 100) {
  const clock = createManualClock();
  const told: string[] = [];
  const patience = createPatience(clock, msMax, () => told.push("late"));
  /** Waits for an answer that `answer` gives. */
  const ask = (name: string) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const settled = patience.wait(promise).then(
      () => told.push(`${name} answered`),
      (error: unknown) => told.push(`${name} ${(error as Error).name}`),
    );
    return { answer: () => resolve(name), settled };
  };
  return { clock, told, patience, ask };
}

test("an answer in time is passed on, and a refusal too", async () => {
  const { patience, clock, told } = start();
  equal(await patience.wait(Promise.resolve(1)), 1);
  await rejects(patience.wait(Promise.reject(new Error("no"))), /no/);
  await clock.advance(1_000);
  deepEqual(told, []);
});

test("who asks first is told after the whole time, and whoever asked later with it, once for all", async () => {
  const { ask, clock, told } = start();
  ask("first");
  await clock.advance(99);
  ask("second");
  deepEqual(told, []);
  await clock.advance(1);
  deepEqual(told, ["late", "first RedisDown", "second RedisDown"]);
  // What comes now begins anew.
  ask("third");
  await clock.advance(99);
  equal(told.length, 3);
});

test("nobody waits longer than the whole time, whenever the looks fall", async () => {
  for (let offsetMs = 0; offsetMs < 100; offsetMs += 7) {
    const { ask, clock, told } = start();
    const first = ask("first");
    await clock.advance(offsetMs);
    ask("second");
    first.answer();
    await clock.advance(100);
    deepEqual(told.slice(1), ["late", "second RedisDown"]);
  }
});

test("an answer that has come while this process was busy counts", async () => {
  const { ask, clock, told } = start();
  const { answer } = ask("first");
  await clock.advance(99);
  // The timer wakes late and finds it late; the answer is read right after.
  void clock.sleep(1).then(() => setImmediate(answer));
  await clock.advance(1);
  await clock.advance(1);
  deepEqual(told, ["first answered"]);
});

test("at the end who waits is told, and nobody is blamed for it", async () => {
  const { ask, patience, told } = start();
  const { settled } = ask("first");
  patience.end();
  await settled;
  deepEqual(told, ["first RedisDown"]);
  await rejects(patience.wait(Promise.reject(new RedisDown())), RedisDown);
});
