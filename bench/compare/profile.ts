// Where a process spent its time, from what `node --cpu-prof` wrote.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number }; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

const idle = new Set(["(idle)", "(program)", "(root)"]);

/** The functions with most time of their own, as shares of the time that was not idle. */
export function hotFunctions(folder: string, count = 40): string[] {
  // What is not node wrote none.
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith(".cpuprofile"));
  return files.flatMap((file) => {
    const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(folder, file), "utf8")) as Profile;
    const frames = new Map(nodes.map((node) => [node.id, node.callFrame]));
    const times = new Map<string, number>();
    let busy = 0;
    for (const [index, id] of samples.entries()) {
      const { functionName, url, lineNumber } = frames.get(id)!;
      if (idle.has(functionName)) continue;
      const name = `${functionName || "(anonymous)"} ${url.split("/").slice(-3).join("/")}:${lineNumber + 1}`;
      times.set(name, (times.get(name) ?? 0) + timeDeltas[index]!);
      busy += timeDeltas[index]!;
    }
    const sorted = [...times].toSorted(([, a], [, b]) => b - a).slice(0, count);
    return [
      `${file}: busy ${(busy / 1e6).toFixed(1)} s`,
      ...sorted.map(([name, us]) => `${((100 * us) / busy).toFixed(1).padStart(5)} %  ${name}`),
    ];
  });
}
