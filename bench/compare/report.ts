// Results as Markdown: the median of each figure over the rounds.

import type { EventRound, EventsMeasured } from "./event-lag.ts";
import type { Arguments } from "./arguments.ts";
import type { Size } from "./data.ts";
import { median, ratio, references } from "./figures.ts";
import type { Measured, Round } from "./measure.ts";
import type { Started } from "./starts.ts";

interface Named {
  name: string;
  about: string;
}

export interface Results {
  about: readonly string[];
  options: Arguments;
  size: Size;
  works: readonly Named[];
  targets: readonly Named[];
  measured: readonly Measured[];
  events: readonly EventsMeasured[];
  started: readonly Started[];
}

export function markdown({ about, options, size, works, targets, measured, events, started }: Results): string {
  const counts = Object.entries(size).map(([name, count]) => `${count.toLocaleString("en")} ${name}`);
  const rounds = `${options.rounds} rounds of ${options.seconds} s in turns, the median of each figure; ${counts.join(", ")}.`;
  const parts = works.flatMap(({ name, about }) => {
    const ofWork = measured.filter(({ work }) => work === name);
    const tables = [
      ...(ofWork.length > 0 ? [table(ofWork)] : []),
      ...(name === "W7" ? [eventsTable(events)] : []),
      ...(name === "W8" ? [startsTable(started)] : []),
    ];
    return tables.map((text) => `## ${name}: ${about}\n\n${text}`);
  });
  const names = targets.map(({ name, about }) => `- \`${name}\`: ${about}`);
  return `${[...about, rounds].join("\n")}\n\n${names.join("\n")}\n\n${parts.join("\n\n")}\n`;
}

const head = [
  "| target | connections | requests/s | p50 ms | p99 ms | server us | database us | load core % | memory MiB | to expert | to memo | to limit | to pgbench |",
  "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
];

function table(ofWork: readonly Measured[]): string {
  const rows = ofWork.map((one) => {
    const { target, connections, rounds, refused } = one;
    if (refused !== undefined)
      return `| ${target} | ${connections} | not measured: ${refused.split("\n", 1)[0]} | | | | | | | | | | |`;
    const of = (key: keyof Round) => median(rounds.map((round) => round[key]));
    const cells = [
      of("perSecond").toLocaleString("en", { maximumFractionDigits: 0 }),
      latency(of("p50Ms"), of("latencyStepMs")),
      latency(of("p99Ms"), of("latencyStepMs")),
      of("serverUs").toFixed(1),
      of("databaseUs").toFixed(1),
      (100 * of("loadCoreBusy")).toFixed(0),
      of("memoryMiB").toFixed(0),
      ...Object.values(references).map((names) => ratio(one, ofWork, names)?.toFixed(2) ?? ""),
    ];
    return `| ${target} | ${connections} | ${cells.join(" | ")} |`;
  });
  return [...head, ...rows].join("\n");
}

/** What a generator rounds down to nothing is less than its step, not nothing. */
function latency(ms: number, stepMs: number): string {
  return ms < stepMs ? `<${stepMs}` : ms.toFixed(stepMs < 1 ? 2 : 0);
}

function startsTable(started: readonly Started[]): string {
  const rows = started.map(({ target, startMs, idleMiB, refused }) =>
    refused === undefined
      ? `| ${target} | ${median(startMs).toFixed(0)} | ${median(idleMiB).toFixed(0)} |`
      : `| ${target} | not measured: ${refused.split("\n", 1)[0]} | |`,
  );
  return ["| target | ms | MiB |", "| --- | --: | --: |", ...rows].join("\n");
}

function eventsTable(measured: readonly EventsMeasured[]): string {
  const rows = measured.map(({ target, rounds, refused }) => {
    if (refused !== undefined) return `| ${target} | not measured: ${refused.split("\n", 1)[0]} | | | | | | | |`;
    const of = (figure: (round: EventRound) => number, digits = 1) => median(rounds.map(figure)).toFixed(digits);
    const cells = [
      of(({ perSecond }) => perSecond, 0),
      of(({ serverUs }) => serverUs),
      of(({ databaseUs }) => databaseUs),
      of(({ alone }) => alone.p50Ms),
      of(({ alone }) => alone.p99Ms),
      of(({ steady }) => steady.perSecond, 0),
      of(({ steady }) => steady.p50Ms),
      of(({ steady }) => steady.p99Ms),
    ];
    return `| ${target} | ${cells.join(" | ")} |`;
  });
  const columns =
    "events/s | server us | database us | one alone, p50 ms | p99 ms | steadily, events/s | p50 ms | p99 ms";
  const head = [`| target | ${columns} |`, "| --- | --: | --: | --: | --: | --: | --: | --: | --: |"];
  return [...head, ...rows].join("\n");
}
