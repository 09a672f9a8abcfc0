// Loaded into a target before its own code: writes its memory, and how late its event loop was, every few seconds to a file.
// The query of its own address says to which and how often.

import { appendFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

export interface Sample {
  at: string;
  rssMiB: number;
  heapMiB: number;
  loopP50Ms: number;
  loopP99Ms: number;
  loopMaxMs: number;
}

const resolution = 1;
const mib = (bytes: number) => bytes / 2 ** 20;
const asked = new URL(import.meta.url).searchParams;
const file = asked.get("file");

if (file !== null) {
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  // What it measures holds the time between two looks, which is no delay.
  const late = (ns: number) => Math.max(0, ns / 1e6 - resolution);
  const write = () => {
    const { rss, heapUsed } = process.memoryUsage();
    const sample: Sample = {
      at: new Date().toISOString(),
      rssMiB: mib(rss),
      heapMiB: mib(heapUsed),
      loopP50Ms: late(delay.percentile(50)),
      loopP99Ms: late(delay.percentile(99)),
      loopMaxMs: late(delay.max),
    };
    appendFileSync(file, `${JSON.stringify(sample)}\n`);
    delay.reset();
  };
  setInterval(write, Number(asked.get("everyMs"))).unref();
}
