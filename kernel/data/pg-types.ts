// How PostgreSQL's text becomes JavaScript values.
//
// Values are what JSON would carry, so that a row can be answered as it is. A timestamp stays text:
// a Date would lose the microseconds that keep a cursor exact, and costs five times as much.

import pg from "pg";

type Parser = (text: string) => unknown;

const oids = { int8: 20, date: 1082, timestamp: 1114, timestamptz: 1184, numeric: 1700 };
const arrayOids = { int8: 1016, date: 1182, timestamp: 1115, timestamptz: 1185, numeric: 1231 };

const parsers: Record<keyof typeof oids, Parser> = {
  int8: parseInt8,
  numeric: parseNumeric,
  timestamptz: parseTimestamptz,
  timestamp: (text) => text.replace(" ", "T"),
  date: (text) => text,
};

// The published type is that of another version: the thing has `create`.
const arrays = pg.types.arrayParser as unknown as { create(text: string, parse: Parser): { parse(): unknown[] } };

const byOid = new Map<number, Parser>();
for (const type of Object.keys(oids) as (keyof typeof oids)[]) {
  byOid.set(oids[type], parsers[type]);
  byOid.set(arrayOids[type], (text) => arrays.create(text, parsers[type]).parse());
}

/** For the `types` of a pg client. Text format only: nothing here asks for binary results. */
export const typeParsers = {
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    (format === "binary" ? undefined : byOid.get(oid)) ??
    pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

const jsonOids = new Set([114, 3802]);

/** The same, with JSON left as text. */
export const jsonAsTextParsers = {
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    jsonOids.has(oid) ? sameText : typeParsers.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

function sameText(text: string): string {
  return text;
}

/** A number while that is exact, else the digits. */
export function parseInt8(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}

/** Money (up to two decimals, and few enough digits to be exact) as a number, anything else as the digits. */
export function parseNumeric(text: string): number | string {
  if (!/^-?\d{1,15}(\.\d{1,2})?$/.test(text)) return text;
  // Fifteen significant digits always survive a double.
  if (text.length <= 15) return Number(text);
  return text.replace(/[-.]/g, "").length <= 15 ? Number(text) : text;
}

const timestamptzPattern = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d{1,6})?([+-]\d\d)(?::(\d\d))?(?::(\d\d))?$/;

/**
 * `2026-01-01 10:00:00.123456+00` becomes `2026-01-01T10:00:00.123456Z`.
 * PostgreSQL cuts zeros at the end; milliseconds are filled up, so that timestamps of the platform's own
 * making have one width and sort as text.
 * Sessions run in UTC; should one have been changed, the offset is applied. What RFC 3339 cannot
 * say (`infinity`, years before 1 or after 9999) stays as PostgreSQL writes it.
 */
export function parseTimestamptz(text: string): string {
  // As nearly all are, `2026-01-01 10:00:00.123456+00`, with or without the whole of its fraction.
  const { length } = text;
  if (length >= 26 && length <= 29 && text.charAt(10) === " " && text.endsWith("+00"))
    return `${text.slice(0, 10)}T${text.slice(11, -3)}Z`;
  const match = timestamptzPattern.exec(text);
  if (match === null) return text;
  const [, date, time, cut = ".", hours, minutes = "0", seconds = "0"] = match;
  const fraction = cut.padEnd(4, "0");
  if (hours === "+00" && minutes === "0" && seconds === "0") return `${date}T${time}${fraction}Z`;
  const offsetSeconds = Math.abs(Number(hours)) * 3_600 + Number(minutes) * 60 + Number(seconds);
  const utcMs = Date.parse(`${date}T${time}Z`) - (hours!.startsWith("-") ? -1_000 : 1_000) * offsetSeconds;
  return `${new Date(utcMs).toISOString().slice(0, 19)}${fraction}Z`;
}
