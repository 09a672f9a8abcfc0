// What a run shows: its progress, a table of what was killed, and the verdicts. In colour on a terminal.

import { styleText } from "node:util";
import type { Trouble } from "./client.ts";
import type { Outage } from "./kills.ts";
import type { Verdict } from "./verdicts.ts";

const shownMax = 5;

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One line that changes on a terminal; elsewhere a line for every tenth. */
export function createProgress(total: number): (answered: number, doing: string) => void {
  const terminal = process.stdout.isTTY;
  let told = 0;
  return (answered, doing) => {
    const text = `${answered} of ${total} checkouts; ${doing}`;
    if (terminal) process.stdout.write(`\r${styleText("dim", text)}\u001B[K${answered === total ? "\n" : ""}`);
    else if (Math.floor((answered * 10) / total) > told) {
      told = Math.floor((answered * 10) / total);
      say(text);
    }
  };
}

/** A row for each victim; its kills taken together. */
export function outageTable(outages: readonly Outage[]): string {
  const rows = [...Map.groupBy(outages, ({ victim }) => victim)].map(([victim, kills]) => [
    victim,
    String(kills.length),
    String(sum(kills.map(({ answered }) => answered))),
    String(sum(kills.flatMap(({ troubles }) => [...troubles.values()]))),
    seconds(median(kills.map(({ upAgainMs }) => upAgainMs))),
    seconds(Math.max(...kills.map(({ upAgainMs }) => upAgainMs))),
    seconds(Math.max(...kills.map(({ longestMs }) => longestMs))),
    troublesOf(kills),
  ]);
  const head = [
    "killed",
    "kills",
    "answered meanwhile",
    "tries in vain",
    "up again",
    "at most",
    "longest wait",
    "what clients saw",
  ];
  return table(head, rows);
}

export function verdictLines(verdicts: readonly Verdict[]): string {
  const width = Math.max(...verdicts.map(({ what }) => what.length));
  return verdicts
    .flatMap(({ what, found, wrong }) => [
      `${wrong.length === 0 ? styleText("green", "ok  ") : styleText("red", "FAIL")}  ${what.padEnd(width)}  ${found}`,
      ...wrong.slice(0, shownMax).map((one) => `        ${one}`),
      ...(wrong.length > shownMax ? [`        and ${wrong.length - shownMax} more`] : []),
    ])
    .join("\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]!.length)));
  // Words to the left, numbers to the right.
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 || column === row.length - 1 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join("  ")
      .trimEnd();
  return [styleText("bold", line(head)), ...rows.map(line)].join("\n");
}

function troublesOf(outages: readonly Outage[]): string {
  const all = new Map<Trouble, number>();
  for (const [trouble, times] of outages.flatMap(({ troubles }) => [...troubles]))
    all.set(trouble, (all.get(trouble) ?? 0) + times);
  return [...all]
    .toSorted(([, a], [, b]) => b - a)
    .map(([trouble, times]) => `${trouble} ${times}x`)
    .join(", ");
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
