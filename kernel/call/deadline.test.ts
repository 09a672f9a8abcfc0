import { equal, doesNotThrow, throws } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock } from "../base/index.ts";
import { createDeadline } from "./deadline.ts";

const passed = (error: unknown) => (error as { code: string }).code === "DEADLINE_EXCEEDED";

test("what remains goes down to nothing, and then it is 504", async () => {
  const clock = createManualClock();
  const deadline = createDeadline(clock, 1_000);
  equal(deadline.remainingMs(), 1_000);
  await clock.advance(999);
  equal(deadline.remainingMs(), 1);
  doesNotThrow(() => deadline.check());
  await clock.advance(1);
  throws(() => deadline.check(), passed);
  await clock.advance(5_000);
  equal(deadline.remainingMs(), 0);
});

test("the signal aborts when the time has passed, with the reason, also when it is asked for late", async () => {
  const clock = createManualClock();
  const deadline = createDeadline(clock, 1_000);
  await clock.advance(600);
  const { signal } = deadline;
  await clock.advance(399);
  equal(signal.aborted, false);
  await clock.advance(1);
  equal(signal.aborted, true);
  equal(passed(signal.reason), true);
});

test("a deadline that was met aborts nothing", async () => {
  const clock = createManualClock();
  const deadline = createDeadline(clock, 1_000);
  const { signal } = deadline;
  deadline.end();
  await clock.advance(10_000);
  equal(signal.aborted, false);
});

test("the caller that goes away, or runs out of time, ends it early", async () => {
  const clock = createManualClock();
  const gone = new AbortController();
  const inner = createDeadline(clock, 10_000, gone.signal);
  const { signal } = inner;
  gone.abort(new Error("the client went away"));
  equal(signal.aborted, true);
  equal((signal.reason as Error).message, "the client went away");

  const outer = createDeadline(clock, 100);
  const nested = createDeadline(clock, 10_000, outer.signal);
  const nestedSignal = nested.signal;
  await clock.advance(100);
  equal(passed(nestedSignal.reason), true);
});
