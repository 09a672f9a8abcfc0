// Finds out whether a client that ended its side is still there.
//
// TCP says the same of one that is gone and of one that has said everything and waits for its answer. Whoever is
// gone resets the connection when something is sent, so a 102 is sent, which means nothing to one that waits
// (RFC 9110, 15.2). The reset is heard of with the next one. What works for a client that is gone can then be stopped.

import type { Clock } from "../base/index.ts";
import type { Connection } from "./connection.ts";

/** Most answers are out before the first; later ones are for a client that goes while it waits. */
const waitsMs = [8, 8];
const laterMs = 1_000;

export function askAfterClient(connection: Connection, clock: Clock): void {
  const { socket } = connection;
  socket.once("end", () => {
    const closed = new AbortController();
    socket.once("close", () => closed.abort("closed"));
    void askUntil(connection, clock, closed.signal);
  });
}

async function askUntil({ unanswered }: Connection, clock: Clock, closed: AbortSignal): Promise<void> {
  for (let asked = 0; ; asked++) {
    await clock.sleep(waitsMs[asked] ?? laterMs, closed);
    // The first is the one whose turn it is to be answered.
    const [response] = unanswered.keys();
    if (closed.aborted || response === undefined) return;
    // HTTP/1.0 has no interim answers; and an answer under way asks by itself.
    if (response.req.httpVersionMinor > 0 && !response.headersSent) response.writeProcessing();
  }
}
