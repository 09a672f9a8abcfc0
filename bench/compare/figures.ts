// What is made of the rounds: medians, and ratios to others.

import type { Measured } from "./measure.ts";

/**
 * What everything is compared with: the expert's service or gateway, as jose's documentation shows and with tokens
 * remembered, what the machine does with nothing between, and PostgreSQL with nobody in front.
 */
export const references = {
  expert: ["expert", "http-proxy"],
  memo: ["expert-memo", "http-proxy-memo"],
  limit: ["bare", "nginx"],
  pgbench: ["pgbench"],
} as const;

/** The median of the ratios of each round: what slowed the machine in a round slowed both. */
export function ratio(
  { rounds, connections }: Measured,
  ofWork: readonly Measured[],
  names: readonly string[],
): number | undefined {
  const other = ofWork.find((one) => names.includes(one.target) && one.connections === connections);
  if (other === undefined || other.rounds.length === 0 || rounds.length === 0) return undefined;
  return median(rounds.map(({ perSecond }, index) => perSecond / other.rounds[index]!.perSecond));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
