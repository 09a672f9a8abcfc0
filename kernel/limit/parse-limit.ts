import { parseDuration } from "../base/index.ts";
import type { Policy } from "./bucket.ts";

/** Reads `100/60s`, `100/60s per user`, `100/60s per address` or `off`, as it stands in a setting; undefined for anything else. */
export function parseLimit(text: string): Policy | "off" | undefined {
  if (text === "off") return "off";
  const match = /^(\d{1,9})\/(\w+)(?: per (user|address))?$/.exec(text);
  if (match === null) return undefined;
  const maxRequests = Number(match[1]);
  const windowMs = parseDuration(match[2]!);
  if (windowMs === undefined || maxRequests < 1 || windowMs < 1) return undefined;
  if (!Number.isSafeInteger(maxRequests * windowMs)) return undefined;
  const per = match[3] as Policy["per"];
  return { maxRequests, windowMs, ...(per === undefined ? {} : { per }) };
}
