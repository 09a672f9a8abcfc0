// What it saves that the statement of a list is prepared: round trips per second, with and without its name.

import type { Database } from "ashlar/data";
import type { Sent } from "../../kernel/testing/plans/explain.ts";

const atOnce = 16;
const rounds = 6;
const requestsPerRound = 2_000;

export interface Compared {
  preparedPerSecond: number;
  plannedPerSecond: number;
}

/** Takes turns, and counts the best round of each: what the machine can do, not what else it did. */
export async function comparePrepared(database: Database, { sql, values }: Sent): Promise<Compared> {
  if (typeof sql === "string") throw new Error("This statement is not prepared at all.");
  const best = { preparedPerSecond: 0, plannedPerSecond: 0 };
  for (let round = 0; round < rounds; round++) {
    best.preparedPerSecond = Math.max(best.preparedPerSecond, await perSecond(() => database.query(sql, values)));
    best.plannedPerSecond = Math.max(best.plannedPerSecond, await perSecond(() => database.query(sql.text, values)));
  }
  return best;
}

async function perSecond(run: () => Promise<unknown>): Promise<number> {
  let left = requestsPerRound;
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await run();
    }),
  );
  return (requestsPerRound * 1_000) / (performance.now() - startMs);
}
