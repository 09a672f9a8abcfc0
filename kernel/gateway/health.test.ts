import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock, timestamp } from "../base/index.ts";
import { createHealth, type HealthReport } from "./health.ts";

const never = () => new Promise<number>(() => {});
const after = (ms: number) => () => Promise.resolve(ms);
const fails = () => Promise.reject(new Error("connect ECONNREFUSED db.internal:5432"));

function start(probes: Partial<Parameters<typeof createHealth>[0]["probes"]> = {}) {
  const clock = createManualClock();
  const up = { database: [after(1)], cache: [after(2)], queue: [after(3)] };
  return { clock, health: createHealth({ version: "1.2.3", clock, probes: { ...up, ...probes } }) };
}

test("it is healthy when everything answers; of several the slowest counts", async () => {
  const { health, clock } = start({ database: [after(1), after(5), after(2)] });
  deepEqual(await health.report(), {
    status: "healthy",
    version: "1.2.3",
    timestamp: timestamp(clock.nowMs()),
    checks: {
      database: { status: "up", latency: 5 },
      cache: { status: "up", latency: 2 },
      queue: { status: "up", latency: 3 },
    },
  });
  equal(await health.ready(), true);
});

test("without cache or queue it is degraded and ready, without a database neither; no host is named", async () => {
  for (const [name, status, ready] of [
    ["cache", "degraded", true],
    ["queue", "degraded", true],
    ["database", "unhealthy", false],
  ] as const) {
    const { health } = start({ [name]: [after(1), fails] });
    const report = await health.report();
    deepEqual([report.status, report.checks[name]], [status, { status: "down", latency: 0 }]);
    equal(JSON.stringify(report).includes("internal"), false);
    equal(await health.ready(), ready);
  }
});

test("what does not answer is down after two seconds, and says how long that took", async () => {
  const { health, clock } = start({ cache: [never] });
  const told: HealthReport[] = [];
  const reports = [health.report(), health.report()];
  for (const report of reports) void report.then((one) => told.push(one));
  await clock.advance(1_999);
  equal(told.length, 0);
  await clock.advance(1);
  const [first, second] = await Promise.all(reports);
  deepEqual(first!.checks.cache, { status: "down", latency: 2_000 });
  equal(first, second, "asked at the same time they share one look");
});

test("while it drains it is not ready, and says how it is all the same", async () => {
  const { health } = start();
  health.drain();
  equal(await health.ready(), false);
  equal((await health.report()).status, "healthy");
});
