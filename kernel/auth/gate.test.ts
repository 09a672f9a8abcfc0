import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock } from "../base/index.ts";
import { Failure } from "../contract/index.ts";
import { createGate } from "./gate.ts";

const busy = (error: unknown) => error instanceof Failure && error.status === 503;

/** A work that ends when told to. */
function manualWork(started: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const work = () => {
    started.push(name);
    return promise;
  };
  return { work, finish: () => resolve(name), fail: () => reject(new Error(name)) };
}

test("works start in the order they came, as many at once as allowed", async () => {
  const gate = createGate({ maxConcurrent: 2, maxQueued: 10, queueTimeoutMs: 1_000, clock: createManualClock() });
  const started: string[] = [];
  const works = ["a", "b", "c", "d"].map((name) => manualWork(started, name));
  const runs = works.map(({ work }) => gate.run(work));
  deepEqual(started, ["a", "b"]);
  works[1]!.finish();
  await runs[1];
  await Promise.resolve();
  works[0]!.finish();
  works[2]!.finish();
  works[3]!.finish();
  deepEqual(await Promise.all(runs), ["a", "b", "c", "d"]);
  deepEqual(started, ["a", "b", "c", "d"]);
});

test("who waited too long is refused, and its work never starts", async () => {
  const clock = createManualClock();
  const gate = createGate({ maxConcurrent: 1, maxQueued: 10, queueTimeoutMs: 1_000, clock });
  const started: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map((name) => manualWork(started, name)) as [
    ReturnType<typeof manualWork>,
    ReturnType<typeof manualWork>,
    ReturnType<typeof manualWork>,
  ];
  const first = gate.run(a.work);
  const second = rejects(gate.run(b.work), busy);
  await clock.advance(1_000);
  await second;
  const third = gate.run(c.work);
  a.finish();
  c.finish();
  deepEqual([await first, await third], ["a", "c"]);
  deepEqual(started, ["a", "c"]);
});

test("a work that fails gives its place back", async () => {
  const gate = createGate({ maxConcurrent: 1, maxQueued: 0, queueTimeoutMs: 1_000, clock: createManualClock() });
  const started: string[] = [];
  const a = manualWork(started, "a");
  const run = rejects(gate.run(a.work), /a/);
  await rejects(
    gate.run(async () => "b"),
    busy,
  );
  a.fail();
  await run;
  equal(await gate.run(async () => "c"), "c");
});
