import { silentLogger, systemClock } from "ashlar/base";
import { createDatabase } from "ashlar/data";

const pollMs = 50;

/** Resolves when no event waits any more. */
export async function untilDelivered(urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    const database = createDatabase({ url, log: silentLogger, clock: systemClock, readers: 1 });
    while ((await database.query("select 1 from ashlar.pending limit 1")).rows.length > 0)
      await systemClock.sleep(pollMs);
    await database.close();
  }
}
