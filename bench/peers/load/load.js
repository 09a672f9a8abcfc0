// Sends the requests of a file, in turn, on so many connections for so many seconds; prints what came of it.

import { readFileSync } from "node:fs";
import autocannon from "autocannon";

const [, , file, url, connections, seconds, run, perSecond] = process.argv;
let sent = 0;
const requests = JSON.parse(readFileSync(file, "utf8")).map((request) => ({
  ...request,
  setupRequest(one) {
    if (one.headers["idempotency-key"] === undefined) return one;
    return { ...one, headers: { ...one.headers, "idempotency-key": `${run}-${sent++}` } };
  },
}));
const rate = Number(perSecond) > 0 ? { overallRate: Number(perSecond) } : {};
const result = await autocannon({
  url,
  requests,
  connections: Number(connections),
  duration: Number(seconds),
  ...rate,
});
console.log(
  JSON.stringify({
    requests: result["2xx"] + result.non2xx,
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    // Its histogram counts whole milliseconds.
    latencyStepMs: 1,
    failed: result.non2xx + result.errors + result.timeouts,
  }),
);
