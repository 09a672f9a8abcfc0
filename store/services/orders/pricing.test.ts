import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lineTotal, priceOf, type Priced } from "./pricing.ts";

/** Cents without any arithmetic on fractions, as the test's own opinion. */
const cents = (amount: number) => BigInt(amount.toFixed(2).replace(".", ""));
const sum = (items: readonly Priced[]) =>
  items.reduce((total, { unitPrice, quantity }) => total + cents(unitPrice) * BigInt(quantity), 0n);

const price = fc.integer({ min: 0, max: 9_999_999_999 }).map((minor) => minor / 100);
const items = fc.array(
  fc.record({ quantity: fc.integer({ min: 1, max: 999 }), unitPrice: price, currency: fc.constant("EUR") }),
  {
    minLength: 1,
    maxLength: 100,
  },
);

test("B13 ten thousand lines at the highest price are exact, or have no total; never nearly right", () => {
  const dearest = { unitPrice: 99_999_999.99, currency: "EUR" };
  const lines = (count: number, quantity: number) => Array.from({ length: count }, () => ({ ...dearest, quantity }));
  assert.deepEqual(priceOf(lines(10_000, 1)), { total: 999_999_999_900, currency: "EUR" });
  assert.deepEqual(priceOf(lines(100, 999)), { total: 9_989_999_999_001, currency: "EUR" });
  assert.equal(priceOf(lines(10_000, 999)), "too large");
  assert.deepEqual(priceOf([...lines(100, 1_000), { unitPrice: 999.99, quantity: 1, currency: "EUR" }]), {
    total: 9_999_999_999_999.99,
    currency: "EUR",
  });
  assert.equal(priceOf([...lines(100, 1_000), { unitPrice: 1_000, quantity: 1, currency: "EUR" }]), "too large");
});

test("B14 the total is the sum of its lines to the cent, for any prices and quantities", () => {
  fc.assert(
    fc.property(items, (some) => {
      const expected = sum(some);
      const found = priceOf(some);
      if (typeof found === "string") return expected > 999_999_999_999_999n;
      assert.equal(cents(found.total), expected);
      assert.equal(
        some.reduce((total, item) => total + cents(lineTotal(item)), 0n),
        expected,
      );
      return true;
    }),
    { numRuns: 2_000 },
  );
});
