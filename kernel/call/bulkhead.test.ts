import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock } from "../base/index.ts";
import { errors, Failure } from "../contract/index.ts";
import { createBulkhead } from "./bulkhead.ts";
import { createDeadline } from "./deadline.ts";

function setUp() {
  const clock = createManualClock();
  const bulkhead = createBulkhead({ service: "catalog", inFlightMax: 2, waitingMax: 2 });
  return { clock, bulkhead, deadline: (ms = 1_000) => createDeadline(clock, ms) };
}

test("so many are in flight, so many wait their turn in order, and more are refused at once", async () => {
  const { bulkhead, deadline } = setUp();
  equal(bulkhead.enter(deadline()), undefined);
  equal(bulkhead.enter(deadline()), undefined);
  const entered: string[] = [];
  const [first, second] = ["first", "second"].map((name) => bulkhead.enter(deadline())!.then(() => entered.push(name)));
  throws(
    () => bulkhead.enter(deadline()),
    (error: Failure) => error.code === "UNAVAILABLE" && error.headers["retry-after"] === "1",
  );
  bulkhead.leave();
  await first;
  deepEqual(entered, ["first"]);
  bulkhead.leave();
  await second;
  bulkhead.leave();
  bulkhead.leave();
  equal(bulkhead.enter(deadline()), undefined);
});

test("the wait is part of the caller's time, and who gave up takes no place", async () => {
  const { clock, bulkhead, deadline } = setUp();
  void bulkhead.enter(deadline());
  void bulkhead.enter(deadline());
  const late = rejects(bulkhead.enter(deadline(500))!, { code: "DEADLINE_EXCEEDED" });
  const next = bulkhead.enter(deadline(5_000))!;
  await clock.advance(500);
  await late;
  bulkhead.leave();
  await next;
  bulkhead.leave();
  equal(bulkhead.enter(deadline()), undefined);
  throws(() => createDeadline(clock, 0).check(), { code: "DEADLINE_EXCEEDED" });
  await rejects(bulkhead.enter(createDeadline(clock, 0))!, { code: "DEADLINE_EXCEEDED" });
});

test("a place that was given in the moment in which the deadline passed is not lost", async () => {
  const { clock, bulkhead, deadline } = setUp();
  void bulkhead.enter(deadline());
  void bulkhead.enter(deadline());
  const gone = new AbortController();
  const waiting = bulkhead.enter(createDeadline(clock, 1_000, gone.signal))!;
  bulkhead.leave();
  gone.abort(new Error("gone"));
  await waiting;
  bulkhead.leave();
  equal(bulkhead.enter(deadline()), undefined);
});

test("those who wait can be sent away", async () => {
  const { bulkhead, deadline } = setUp();
  void bulkhead.enter(deadline());
  void bulkhead.enter(deadline());
  const waiting = [bulkhead.enter(deadline())!, bulkhead.enter(deadline())!];
  bulkhead.refuseWaiting(new Failure(errors.unavailable, "It is ill"));
  for (const one of waiting) await rejects(one, /It is ill/);
  const next = bulkhead.enter(deadline())!;
  bulkhead.leave();
  await next;
});
