// What a list of items costs. Integer arithmetic only; beyond 2^53 minor units there is no total.

import { fromMinorUnits, sumOfLines, toMinorUnits } from "ashlar/base";

export interface Priced {
  quantity: number;
  unitPrice: number;
  currency: string;
}

export interface Price {
  total: number;
  currency: string;
}

/** The price of the items, or why there is none. The items are not empty. */
export function priceOf(items: readonly Priced[]): Price | "mixed currencies" | "too large" {
  const { currency } = items[0]!;
  if (items.some((item) => item.currency !== currency)) return "mixed currencies";
  const minor = sumOfLines(items.map(({ unitPrice, quantity }) => ({ unitMinor: toMinorUnits(unitPrice)!, quantity })));
  return minor === undefined || minor > largestMinor ? "too large" : { total: fromMinorUnits(minor), currency };
}

/** What a total column and a money property hold. */
const largestMinor = 999_999_999_999_999;

export function lineTotal({ unitPrice, quantity }: Pick<Priced, "unitPrice" | "quantity">): number {
  return fromMinorUnits(toMinorUnits(unitPrice)! * quantity);
}
