// What is bought, and what is in stock: drawn from a seed, so that a run can be had again.
//
// Every third product is scarce: less of it is there than will be asked for, so the last of it are contested and some
// checkouts are refused. A tenth of the customers cancel, which makes orders with several events to keep in order.

import fc from "fast-check";

export interface Line {
  /** The place of the product in `stocks`. */
  product: number;
  quantity: number;
}

export interface Checkout {
  key: string;
  customer: number;
  lines: Line[];
  cancels: boolean;
}

export interface Plan {
  checkouts: Checkout[];
  /** What there is of each product at the beginning. */
  stocks: number[];
}

const products = 12;
const linesMax = 3;
const quantityMax = 3;
/** What is there of a scarce product, of what is asked for. */
const scarcity = 0.6;

export function planOf({
  checkouts: count,
  customers,
  seed,
}: {
  checkouts: number;
  customers: number;
  seed: number;
}): Plan {
  const line = fc.record({
    product: fc.nat({ max: products - 1 }),
    quantity: fc.integer({ min: 1, max: quantityMax }),
  });
  const wish = fc.record({
    customer: fc.nat({ max: customers - 1 }),
    lines: fc.uniqueArray(line, { minLength: 1, maxLength: linesMax, selector: ({ product }) => product }),
    cancels: fc.integer({ min: 1, max: 10 }).map((one) => one === 1),
  });
  const checkouts = fc
    .sample(wish, { numRuns: count, seed })
    .map((wished, index) => ({ ...wished, key: `checkout-${index}` }));
  const stocks = Array.from({ length: products }, (_, product) => {
    const asked = quantityOf(
      checkouts.flatMap(({ lines }) => lines),
      product,
    );
    return isScarce(product) ? Math.ceil(asked * scarcity) : asked;
  });
  return { checkouts, stocks };
}

export function quantityOf(lines: readonly Line[], product: number): number {
  return lines.filter((line) => line.product === product).reduce((sum, { quantity }) => sum + quantity, 0);
}

function isScarce(product: number): boolean {
  return product % 3 === 0;
}
