// Which headers go on from one connection to the next.

import type { Exchange } from "../service/index.ts";

// RFC 9110, 7.6.1: what is about one connection stays on it. Host is that of the next one; what a client holds
// back its body for (Expect) was granted here.
const ofConnection = new Set(
  "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade host expect".split(
    " ",
  ),
);
/** What only the gateway says, and who or whence a client says that it is. Read with `_` as `-`: some do. */
const claimed = [
  "ashlar-",
  "x-forwarded-",
  "x-user-",
  "x-internal-",
  "x-real-ip",
  "x-request-id",
  "forwarded",
  "traceparent",
];

interface Known {
  readonly name: string;
  readonly ofConnection: boolean;
  readonly claimed: boolean;
}

/** What was found out about names, as they were spelt. Clients choose them, so there is an end to it. */
const known = new Map<string, Known>();
const knownMax = 1_000;

function about(spelt: string): Known {
  return known.get(spelt) ?? findOut(spelt);
}

function findOut(spelt: string): Known {
  const name = spelt.toLowerCase();
  const read = name.replaceAll("_", "-");
  const found = {
    name,
    ofConnection: ofConnection.has(name),
    claimed: claimed.some((one) => read.startsWith(one)),
  };
  if (known.size < knownMax) known.set(spelt, found);
  return found;
}

const none: ReadonlySet<string> = new Set();

/** Of a client's request, flat, with what the gateway says in the place of what the client did. */
export function requestHeaders({ message, id, traceparent }: Exchange): string[] {
  const { rawHeaders, headers } = message;
  const named = headers.connection === undefined ? none : namesIn(headers.connection);
  // Without its traceparent a tracestate says nothing (W3C Trace Context, 3.3).
  const keepsTrace = headers.traceparent?.includes(traceparent.split("-")[1]!) === true;
  const kept: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const { name, ofConnection, claimed } = about(rawHeaders[index]!);
    if (ofConnection || claimed || (named.has(name) && name !== "authorization")) continue;
    if (name === "tracestate" && !keepsTrace) continue;
    kept.push(rawHeaders[index]!, rawHeaders[index + 1]!);
  }
  kept.push("X-Request-Id", id, "traceparent", traceparent);
  return kept;
}

function namesIn(connection: string): ReadonlySet<string> {
  return new Set(
    connection
      .toLowerCase()
      .split(",")
      .map((one) => one.trim()),
  );
}

/** Of a service's answer, flat. */
export function answerHeaders(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2)
    if (!about(headers[index]!).ofConnection) kept.push(headers[index]!, headers[index + 1]!);
  return kept;
}
