// W3C Trace Context: reading and passing on `traceparent` and `tracestate`.
//
// Level 1 to the letter, plus the random flag of Level 2. An invalid traceparent is as good as
// none, and takes its tracestate with it; an invalid tracestate falls alone.

import type { Random } from "../base/index.ts";

export interface Trace {
  traceId: string;
  /** The span of this hop. */
  spanId: string;
  /** The span of the caller, when there was one. */
  parentId?: string;
  /** Bit 0: sampled. Bit 1: the trace id is random. */
  flags: number;
  state?: string;
}

export interface Traceparent {
  traceId: string;
  parentId: string;
  flags: number;
}

const knownFlags = 0x03;
const randomFlag = 0x02;
const format = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const zeros = /^0+$/;

/** Undefined when absent or invalid. A header sent twice arrives joined by a comma: invalid. */
export function parseTraceparent(header: string | string[] | undefined): Traceparent | undefined {
  if (typeof header !== "string") return undefined;
  const match = format.exec(header);
  if (match === null) return undefined;
  const [, version, traceId, parentId, flags, rest] = match;
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (zeros.test(traceId!) || zeros.test(parentId!)) return undefined;
  // Of a later version only what this one knows is believed.
  const known = version === "00" ? knownFlags : 0x01;
  return { traceId: traceId!, parentId: parentId!, flags: Number.parseInt(flags!, 16) & known };
}

const membersMax = 32;
const stateCharactersMax = 512;
const longMember = 128;
const memberPattern =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;

/** The list in normal form, shortened to 512 characters as the standard says; undefined when invalid. */
export function parseTracestate(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const members = String(header)
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
  const keys = new Set(members.map((member) => member.slice(0, member.indexOf("="))));
  if (members.length === 0 || members.length > membersMax || keys.size !== members.length) return undefined;
  if (!members.every((member) => memberPattern.test(member))) return undefined;
  return shorten(members);
}

function shorten(members: string[]): string | undefined {
  let length = members.reduce((sum, member) => sum + member.length + 1, -1);
  while (length > stateCharactersMax) {
    const long = members.findLastIndex((member) => member.length > longMember);
    const [removed] = members.splice(long === -1 ? members.length - 1 : long, 1);
    length -= removed!.length + 1;
  }
  return members.length === 0 ? undefined : members.join(",");
}

/** The trace of a request: continues the caller's, or begins one that is not sampled. */
export function traceOf(headers: Readonly<Record<string, string | string[] | undefined>>, random: Random): Trace {
  const parent = parseTraceparent(headers["traceparent"]);
  if (parent === undefined) return { traceId: hexId(random, 16), spanId: hexId(random, 8), flags: randomFlag };
  const state = parseTracestate(headers["tracestate"]);
  return { ...parent, spanId: hexId(random, 8), ...(state !== undefined && { state }) };
}

/** A span below this one: same trace, same flags, an id of its own. */
export function childTrace(trace: Trace, random: Random): Trace {
  return { ...trace, spanId: hexId(random, 8), parentId: trace.spanId };
}

/** The `traceparent` that tells the next hop about this span. */
export function traceparentOf({ traceId, spanId, flags }: Trace): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, "0")}`;
}

function hexId(random: Random, bytes: number): string {
  const id = Buffer.from(random.bytes(bytes)).toString("hex");
  return zeros.test(id) ? hexId(random, bytes) : id;
}
