// Money is exact: a decimal with at most two places outside, an integer of minor units inside.
// Arithmetic happens on the integers only; anything beyond 2^53 minor units is refused, not rounded.

/** 99.99 becomes 9999. Undefined when the amount has more than two decimals or is too large. */
export function toMinorUnits(amount: number): number | undefined {
  const minor = Math.round(amount * 100);
  if (!Number.isSafeInteger(minor) || minor / 100 !== amount) return undefined;
  return minor;
}

/** 9999 becomes 99.99. */
export function fromMinorUnits(minor: number): number {
  return minor / 100;
}

/** The exact sum of `unitMinor * quantity` over the lines; undefined beyond 2^53 minor units. */
export function sumOfLines(lines: readonly { unitMinor: number; quantity: number }[]): number | undefined {
  const total = lines.reduce((sum, line) => sum + BigInt(line.unitMinor) * BigInt(line.quantity), 0n);
  return total <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(total) : undefined;
}
