// X-Request-Id: the client's when it is harmless in a log line, else one of ours.

import type { Random } from "../base/index.ts";

const harmless = /^[A-Za-z0-9._-]{1,128}$/;
const idBytes = 16;
const idsPerDraw = 64;

/** Returns a function from the header's value to the id of the request. */
export function createRequestIds(random: Random): (header: string | string[] | undefined) => string {
  // Randomness is drawn for many ids at a time: the system call costs more than the id.
  let drawn = "";
  let at = 0;
  return (header) => {
    if (typeof header === "string" && harmless.test(header)) return header;
    if (at === drawn.length) {
      drawn = Buffer.from(random.bytes(idBytes * idsPerDraw)).toString("hex");
      at = 0;
    }
    return drawn.slice(at, (at += idBytes * 2));
  };
}
