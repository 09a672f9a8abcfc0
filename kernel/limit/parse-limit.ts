import { parseDuration } from "../base/index.ts";
import type { Policy } from "./bucket.ts";

/** Reads `100/60s` or `off`, as it stands in a setting; undefined for anything else. */
export function parseLimit(text: string): Policy | "off" | undefined {
  if (text === "off") return "off";
  const match = /^(\d{1,9})\/(\w+)$/.exec(text);
  if (match === null) return undefined;
  const maxRequests = Number(match[1]);
  const windowMs = parseDuration(match[2]!);
  if (windowMs === undefined || maxRequests < 1 || windowMs < 1) return undefined;
  return Number.isSafeInteger(maxRequests * windowMs) ? { maxRequests, windowMs } : undefined;
}
