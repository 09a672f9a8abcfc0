// What the tour announced. Events have no address in the API: subscribers get them, and operators read
// them with `ashlar events list`, which looks into the databases. So the tour runs that.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Envelope } from "ashlar/contract";
import { showChapter, showEvent, showNote } from "./show.ts";

const ashlar = fileURLToPath(new URL("../../node_modules/.bin/ashlar", import.meta.url));
const outputBytesMax = 16 * 1024 * 1024;

/** Shows the events of these aggregates, or says why it cannot; that is no reason for the tour to fail. */
export async function showEvents(aggregateIds: readonly string[]): Promise<void> {
  showChapter("What everybody else could hear");
  try {
    const lists = await Promise.all(aggregateIds.map(eventsOf));
    const events = lists.flat().toSorted((a, b) => (`${a.timestamp} ${a.id}` < `${b.timestamp} ${b.id}` ? -1 : 1));
    if (events.length === 0)
      showNote(
        "The databases of this folder do not know the tour's orders: give the tour the ASHLAR_DATA of the store.",
      );
    for (const event of events) showEvent(event);
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    showNote(
      `The events cannot be read from here (${(stderr ?? message).trim()}). Where the store runs, \`npx ashlar events list\` shows them.`,
    );
  }
}

async function eventsOf(aggregateId: string): Promise<Envelope[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [ashlar, "events", "list", "--aggregate", aggregateId],
    { maxBuffer: outputBytesMax },
  );
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Envelope);
}
