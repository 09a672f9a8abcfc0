// Reads Accept (RFC 9110, 12.5.1) into the three things an answer depends on.
//
// Decisions:
// - Success is always `application/json`, so what matches it is acceptable: itself, its versioned
//   alias `application/vnd.api+json`, `application/*` and `*/*`.
// - `application/problem+json` alone is acceptable too. A client that sends it asks for problem
//   details when something fails; a 406 to every success would help nobody, and RFC 9110 lets a
//   server answer as if it had no preference.
// - Parameters other than `version` and `q` are ignored: `application/json;charset=utf-8` names
//   what is answered anyway.
// - A bare `*` and `q=.2` are read as meant. Java's HttpURLConnection has sent both for 25 years.

import { invalidHeader } from "./headers.ts";

export interface Negotiated {
  /** The form of error bodies: the envelope, or RFC 9457. */
  errorFormat: "json" | "problem";
  /** False when a success must be refused with 406. */
  acceptable: boolean;
  /** The version asked for; "invalid" when it is not a number an API version could have. */
  version: number | undefined | "invalid";
}

interface MediaRange {
  type: string;
  quality: number;
  version: string | undefined;
}

const anything: Negotiated = { errorFormat: "json", acceptable: true, version: undefined };

/** Throws 400 when the header breaks its grammar. An empty header means no preference. */
export function negotiate(accept: string | undefined): Negotiated {
  if (accept === undefined || accept === "*/*" || accept === "application/json") return anything;
  const ranges = parseAccept(accept);
  if (ranges.length === 0) return anything;

  const problem = qualityOf(ranges, "application/problem+json");
  const listed = best(qualityOf(ranges, "application/json"), qualityOf(ranges, "application/vnd.api+json"));
  const json = listed ?? qualityOf(ranges, "application/*") ?? qualityOf(ranges, "*/*") ?? 0;
  return {
    errorFormat: problem !== undefined && prefersProblem(problem, json, listed) ? "problem" : "json",
    acceptable: json > 0 || (problem ?? 0) > 0,
    version: versionOf(ranges),
  };
}

function prefersProblem(problem: number, json: number, listed: number | undefined): boolean {
  return problem > json || (problem === json && problem > 0 && listed === undefined);
}

/** The version on the range the client likes best; at equal quality the more specific wins. */
function versionOf(ranges: readonly MediaRange[]): Negotiated["version"] {
  let chosen: { range: MediaRange; rank: number } | undefined;
  for (const range of ranges) {
    const rank = rankOf(range);
    if (rank === 0 || range.quality === 0) continue;
    const wins =
      chosen === undefined ||
      range.quality > chosen.range.quality ||
      (range.quality === chosen.range.quality && rank > chosen.rank);
    if (wins) chosen = { range, rank };
  }
  const version = chosen?.range.version;
  if (chosen === undefined || chosen.rank < 3 || version === undefined) return undefined;
  return /^[1-9][0-9]{0,3}$/.test(version) ? Number(version) : "invalid";
}

/** 0 when the range does not match JSON at all. */
function rankOf({ type, version }: MediaRange): number {
  if (type === "*/*") return 1;
  if (type === "application/*") return 2;
  if (type !== "application/json" && type !== "application/vnd.api+json") return 0;
  return version === undefined ? 3 : 4;
}

function qualityOf(ranges: readonly MediaRange[], type: string): number | undefined {
  let quality: number | undefined;
  for (const range of ranges) if (range.type === type) quality = best(quality, range.quality);
  return quality;
}

function best(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.max(a, b);
}

// Sticky patterns over one position: linear in the length of the header, whatever it holds.
const separators = /[ \t,]*/y;
const mediaRange = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)\/([!#$%&'*+.^_`|~0-9A-Za-z-]+)|\*(?![!#$%&'*+.^_`|~0-9A-Za-z/-])/y;
const semicolon = /[ \t]*;[ \t]*/y;
const parameter =
  /([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[\t !#-[\]-~\x80-\xff]|\\[\t !-~\x80-\xff])*)")/y;
const endOfRange = /[ \t]*(?:,|$)/y;
const weight = /^(?:0?(?:\.[0-9]{0,3})|0|1(?:\.0{0,3})?)$/;

function parseAccept(header: string): MediaRange[] {
  const ranges: MediaRange[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  for (take(separators); at < header.length; take(separators)) {
    const match = take(mediaRange);
    if (match === null) throw malformed();
    const type = match[1] === undefined ? "*/*" : match[0].toLowerCase();
    if (type.startsWith("*/") && type !== "*/*") throw malformed();
    const range: MediaRange = { type, quality: 1, version: undefined };
    while (take(semicolon) !== null) {
      const found = take(parameter);
      if (found !== null)
        applyParameter(range, found[1]!.toLowerCase(), found[2] ?? found[3]!.replaceAll(/\\(.)/g, "$1"));
    }
    if (take(endOfRange) === null) throw malformed();
    ranges.push(range);
  }
  return ranges;
}

function applyParameter(range: MediaRange, name: string, value: string): void {
  if (name === "q") {
    if (!weight.test(value)) throw malformed();
    range.quality = Number(`0${value}`);
  } else if (name === "version") {
    range.version ??= value;
  }
}

function malformed(): Error {
  return invalidHeader("accept", "is not a list of media ranges");
}
