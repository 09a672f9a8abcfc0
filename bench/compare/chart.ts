// A drawing of the results: for each work the rate of every target as a multiple of the expert's, longest first.
//
// Each work has a scale of its own, and its goal as a line. It is read on light and on dark.

import { ratio, references } from "./figures.ts";
import type { Results } from "./report.ts";

/** What issue 7 asks for, against the expert. */
const goals: Readonly<Record<string, number>> = { W1: 3.7, W2: 2.5, W3: 2, W4: 2.9, W5: 4.4 };
const usualConnections = 16;

const width = 860;
const namesWidth = 150;
const barsWidth = 580;
const barHeight = 16;
const rowHeight = 22;
const titleHeight = 44;

const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 14px }
  .quiet { fill: #59636e }
  .ours { fill: #0969da } .line { fill: #8c959f } .limit { fill: #d0d7de } .other { fill: #bf8700 }
  .one { stroke: #59636e } .goal { stroke: #cf222e; stroke-dasharray: 4 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .quiet { fill: #9198a1 }
    .ours { fill: #4493f8 } .line { fill: #9198a1 } .limit { fill: #3d444d } .other { fill: #d29922 }
    .one { stroke: #9198a1 } .goal { stroke: #f85149 }
  }`;

export function chart({ works, measured, options, about }: Results): string {
  const connections = options.connections.includes(usualConnections) ? usualConnections : options.connections[0]!;
  const ofRun = measured.filter((one) => one.connections === connections && one.rounds.length > 0);
  let y = 30;
  const parts: string[] = [];
  for (const { name, about } of works) {
    const ofWork = ofRun.filter(({ work }) => work === name);
    const bars = ofWork
      .map((one) => ({ target: one.target, times: ratio(one, ofWork, references.expert) ?? Number.NaN }))
      .filter(({ times }) => Number.isFinite(times))
      .toSorted((a, b) => b.times - a.times);
    if (bars.length === 0) continue;
    parts.push(panel(`${name}: ${about}`, bars, goals[name], y));
    y += titleHeight + bars.length * rowHeight;
  }
  const head = `Requests a second as a multiple of the expert's, ${connections} connections; red: the goal for this project`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 40}" role="img">
<title>${escaped(head)}</title>
<style>${style}
</style>
<text x="10" y="20" class="quiet">${escaped(head)}</text>
${parts.join("\n")}
${about
  .slice(0, 2)
  .map((line, index) => `<text x="10" y="${y + 12 + index * 18}" class="quiet">${escaped(line)}</text>`)
  .join("\n")}
</svg>
`;
}

function panel(title: string, bars: readonly { target: string; times: number }[], goal: number | undefined, y: number) {
  const longest = Math.max(1, goal ?? 0, ...bars.map(({ times }) => times));
  const xOf = (times: number) => namesWidth + (times / longest) * barsWidth;
  const top = y + titleHeight - 14;
  const bottom = top + bars.length * rowHeight;
  const rows = bars.map(({ target, times }, index) => {
    const at = top + index * rowHeight;
    return `<text x="${namesWidth - 8}" y="${at + 13}" text-anchor="end">${escaped(target)}</text>
<rect class="${kindOf(target)}" x="${namesWidth}" y="${at}" width="${(xOf(times) - namesWidth).toFixed(1)}" height="${barHeight}" rx="2"/>
<text x="${(xOf(times) + 6).toFixed(1)}" y="${at + 13}">${times.toFixed(2)}</text>`;
  });
  const upright = (kind: string, times: number) =>
    `<line class="${kind}" x1="${xOf(times).toFixed(1)}" x2="${xOf(times).toFixed(1)}" y1="${top - 4}" y2="${bottom}"/>`;
  const lines = [upright("one", 1), ...(goal === undefined ? [] : [upright("goal", goal)])];
  return [`<text x="10" y="${y + 20}" class="title">${escaped(title)}</text>`, ...rows, ...lines].join("\n");
}

function kindOf(target: string): string {
  if (["single", "split", "gateway"].includes(target)) return "ours";
  const { expert, memo, limit, pgbench } = references;
  if ([...expert, ...memo].some((name) => name === target)) return "line";
  return [...limit, ...pgbench].some((name) => name === target) ? "limit" : "other";
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
