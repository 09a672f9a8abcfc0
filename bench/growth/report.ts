import { median } from "../compare/figures.ts";
import type { Endured } from "./endurance.ts";
import type { Cost } from "./sizes.ts";

const whole = (value: number) => value.toLocaleString("en", { maximumFractionDigits: 0 });

export function sizesTable(costs: readonly Cost[]): string {
  const rows = costs.map(({ work, target, orders, perSecond, serverUs, databaseUs, toFewest, refused }) => {
    const start = `| ${work} | ${target} | ${whole(orders)} |`;
    if (refused !== undefined) return `${start} not measured: ${refused.split("\n", 1)[0]} | | | |`;
    return `${start} ${whole(perSecond)} | ${serverUs.toFixed(1)} | ${databaseUs.toFixed(1)} | ${toFewest?.toFixed(2) ?? ""} |`;
  });
  const head = ["| work | target | orders | requests/s | server us | database us | cost to fewest |"];
  return ["## What a request costs", "", ...head, "| --- | --- | --: | --: | --: | --: | --: |", ...rows, ""].join(
    "\n",
  );
}

/** The samples of each minute as one line: what it ended with, and the worst of it. */
export function enduranceTable({ target, mostPerSecond, share, segments, samples }: Endured): string {
  const perMinute = 6;
  const minutes = Array.from({ length: Math.ceil(samples.length / perMinute) }, (_, minute) => {
    const within = samples.slice(minute * perMinute, (minute + 1) * perMinute);
    const loads = segments.slice(minute * perMinute, (minute + 1) * perMinute);
    const last = within.at(-1)!;
    const cells = [
      loads.length === 0 ? "" : whole(median(loads.map(({ perSecond }) => perSecond))),
      loads.length === 0 ? "" : (100 * median(loads.map(({ serverCoreBusy }) => serverCoreBusy))).toFixed(0),
      loads.length === 0 ? "" : median(loads.map(({ p99Ms }) => p99Ms)).toFixed(1),
      last.rssMiB.toFixed(0),
      Math.min(...within.map(({ heapMiB }) => heapMiB)).toFixed(0),
      median(within.map(({ loopP99Ms }) => loopP99Ms)).toFixed(1),
      Math.max(...within.map(({ loopMaxMs }) => loopMaxMs)).toFixed(1),
    ];
    return `| ${minute + 1} | ${cells.join(" | ")} |`;
  });
  const columns = [
    "requests/s",
    "server core %",
    "answer p99 ms",
    "RSS MiB",
    "least heap MiB",
    "loop p99 ms",
    "loop most ms",
  ];
  const failed = segments.reduce((sum, one) => sum + one.failed, 0);
  return [
    `## ${target} at ${(100 * share).toFixed(0)} % of ${whole(mostPerSecond)} requests/s`,
    "",
    `Products from the cache, histories and checkouts as 7 to 2 to 1; ${whole(failed)} failed.`,
    "",
    `| minute | ${columns.join(" | ")} |`,
    `| --: | ${columns.map(() => "--:").join(" | ")} |`,
    ...minutes,
    "",
  ].join("\n");
}
