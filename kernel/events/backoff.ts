import type { Random } from "../base/index.ts";

/** How long to wait after the `tries`th failure: doubles from `minMs` to `maxMs`, less up to half of it by chance. */
export function backoffMs(
  tries: number,
  { minMs, maxMs, random }: { minMs: number; maxMs: number; random: Random },
): number {
  const [high, low] = random.bytes(2);
  const chance = (high! * 256 + low!) / 65_536;
  const fullMs = Math.min(maxMs, minMs * 2 ** Math.min(tries - 1, 30));
  return Math.round(fullMs * (1 - chance / 2));
}
