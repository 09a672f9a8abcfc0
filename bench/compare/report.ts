// Results as Markdown: the median of each figure over the rounds.

import type { Measured, Round } from "./measure.ts";
import type { Started } from "./starts.ts";

interface Named {
  name: string;
  about: string;
}

export function markdown(measured: readonly Measured[], works: readonly Named[], targets: readonly Named[]): string {
  const parts = works.flatMap(({ name, about }) => {
    const ofWork = measured.filter(({ work }) => work === name);
    return ofWork.length === 0 ? [] : [`## ${name}: ${about}\n\n${table(ofWork)}`];
  });
  const names = targets.map(({ name, about }) => `- \`${name}\`: ${about}`);
  return `${names.join("\n")}\n\n${parts.join("\n\n")}\n`;
}

/** What everything is compared with: the expert's service or gateway, as jose's documentation shows and with tokens remembered. */
const lines = {
  expert: ["expert", "http-proxy"],
  memo: ["expert-memo", "http-proxy-memo"],
  limit: ["bare", "nginx"],
  pgbench: ["pgbench"],
};

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
      of("p50Ms").toFixed(2),
      of("p99Ms").toFixed(2),
      of("serverUs").toFixed(1),
      of("databaseUs").toFixed(1),
      (100 * of("loadCoreBusy")).toFixed(0),
      of("memoryMiB").toFixed(0),
      ...Object.values(lines).map((names) => ratio(one, ofWork, names)),
    ];
    return `| ${target} | ${connections} | ${cells.join(" | ")} |`;
  });
  return [...head, ...rows].join("\n");
}

export function startsTable({ name, about }: Named, started: readonly Started[]): string {
  const rows = started.map(({ target, startMs, idleMiB, refused }) =>
    refused === undefined
      ? `| ${target} | ${median(startMs).toFixed(0)} | ${median(idleMiB).toFixed(0)} |`
      : `| ${target} | not measured: ${refused.split("\n", 1)[0]} | |`,
  );
  return [`## ${name}: ${about}`, "", "| target | ms | MiB |", "| --- | --: | --: |", ...rows, ""].join("\n");
}

/** The median of the ratios of each round: what slowed the machine in a round slowed both. */
function ratio({ rounds, connections }: Measured, ofWork: readonly Measured[], names: string[]): string {
  const other = ofWork.find((one) => names.includes(one.target) && one.connections === connections);
  if (other === undefined || other.rounds.length === 0) return "";
  return median(rounds.map(({ perSecond }, index) => perSecond / other.rounds[index]!.perSecond)).toFixed(2);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
