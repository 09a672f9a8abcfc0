// W8: from the start to the first answer, and what a process takes that has nothing to do.

import type { Arguments } from "./arguments.ts";
import type { Setting } from "./measure.ts";
import { usageOf } from "./processes.ts";
import type { Target } from "./targets.ts";

export interface Started {
  target: string;
  /** Milliseconds to the first 200 of /health, and MiB two seconds later: one of each a round. */
  startMs: number[];
  idleMiB: number[];
  refused?: string;
}

export const starts = { name: "W8", about: "from the start to the first answer, and idle memory without PostgreSQL" };

const restMs = 2_000;

/** The first start of each target is not counted: it copies databases and reads its files from the disk. */
export async function measureStarts(
  all: readonly Target[],
  { rounds }: Arguments,
  setting: Setting,
): Promise<Started[]> {
  const started = new Map<string, Started>(all.map(({ name }) => [name, { target: name, startMs: [], idleMiB: [] }]));
  for (let round = 0; round <= rounds; round++) {
    for (const target of all) {
      const one = started.get(target.name)!;
      if (one.refused !== undefined) continue;
      try {
        const running = await target.start("W8", setting);
        await new Promise((resolve) => setTimeout(resolve, restMs));
        const { memoryMiB } = usageOf(running.pid);
        await running.stop();
        if (round === 0) continue;
        console.error(`  W8 ${target.name}: ${running.startedMs.toFixed(0)} ms, ${memoryMiB.toFixed(0)} MiB`);
        one.startMs.push(running.startedMs);
        one.idleMiB.push(memoryMiB);
      } catch (error) {
        one.refused = error instanceof Error ? error.message : String(error);
        console.error(`  W8 ${target.name} IS NOT MEASURED: ${one.refused}`);
      }
    }
  }
  return [...started.values()];
}
