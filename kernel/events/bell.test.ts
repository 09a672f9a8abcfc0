import { equal } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock } from "../base/index.ts";
import { createBell } from "./bell.ts";

test("a bell ends the wait early, and a ring between two waits is not lost", async () => {
  const clock = createManualClock();
  const bell = createBell(clock);
  bell.ring();
  bell.ring();
  await bell.wait(1_000);

  let waited = false;
  const waiting = bell.wait(1_000).then(() => (waited = true));
  await clock.advance(999);
  equal(waited, false);
  bell.ring();
  await waiting;
});
