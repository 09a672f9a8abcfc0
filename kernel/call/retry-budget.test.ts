import { equal } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock } from "../base/index.ts";
import { createRetryBudget } from "./retry-budget.ts";

test("of any number of calls one in ten may be repeated, and ten more", () => {
  const budget = createRetryBudget(createManualClock());
  let taken = 0;
  for (let calls = 0; calls < 1_000; calls++) {
    budget.called();
    if (budget.take()) taken++;
  }
  // The tenth of the first call finds no room.
  equal(taken, 10 + 100 - 1);
  equal(budget.take(), false);
});

test("what is not taken is saved up to ten, and one a second comes by itself", async () => {
  const clock = createManualClock();
  const budget = createRetryBudget(clock);
  for (let calls = 0; calls < 1_000; calls++) budget.called();
  const taken = () => {
    let count = 0;
    while (budget.take()) count++;
    return count;
  };
  equal(taken(), 10);
  await clock.advance(3_000);
  equal(taken(), 3);
  await clock.advance(3_600_000);
  equal(taken(), 10);
});
