// What there is to sell of the products that are being reserved, while their rows are locked.

import { decodeId, encodeId } from "ashlar/base";
import { type Detail, Failure, type In } from "ashlar/contract";
import type { Tx } from "ashlar/data";
import { type catalog, insufficientStock, unknownProduct } from "./contract.ts";
import type { Line } from "./reservations.ts";

export type Wanted = In<typeof catalog.operations.reserveStock>["body"]["items"];

export interface Shelf {
  /**
   * Takes what is wanted, all or nothing, after what an earlier reservation of the same order had (`back`) was put
   * back. The refusal names every line that is short, as `asked` numbers them.
   */
  take(wanted: Wanted, asked: Wanted, back: readonly Line[]): Line[];
  /** By how much the stock of each product has changed, ordered by product. */
  moved(): { productId: string; quantity: number }[];
}

interface ProductRow extends Record<string, unknown> {
  id: string;
  sku: string;
  name: string;
  price: number;
  currency: string;
  stock: number;
}

/** Locks the products, in one order as all writers do. */
export async function lockShelf(tx: Tx, productIds: readonly string[]): Promise<Shelf> {
  const { rows } = await tx.query<ProductRow>(
    {
      name: "products.take.lock",
      text: "select id, sku, name, price, currency, stock from products where id = any($1::uuid[]) and deleted_at is null order by id for update",
    },
    [[...new Set(productIds)].map((productId) => decodeId("prd", productId))],
  );
  const products = new Map(rows.map((row) => [encodeId("prd", row.id), row]));
  const changes = new Map<string, number>();
  const change = (productId: string, by: number) => changes.set(productId, (changes.get(productId) ?? 0) + by);

  return {
    take(wanted, asked, back) {
      const returned = new Map(back.map(({ productId, quantity }) => [productId, quantity]));
      refuseUnknown(products, asked);
      refuseShort(
        (productId) => products.get(productId)!.stock + (changes.get(productId) ?? 0) + (returned.get(productId) ?? 0),
        wanted,
        asked,
      );
      for (const { productId, quantity } of back) change(productId, quantity);
      for (const { productId, quantity } of wanted) change(productId, -quantity);
      return wanted.map(({ productId, quantity }) => {
        const { sku, name, price, currency } = products.get(productId)!;
        return { productId, sku, name, quantity, unitPrice: price, currency };
      });
    },
    moved: () =>
      [...changes]
        .filter(([, quantity]) => quantity !== 0)
        .map(([productId, quantity]) => ({ productId, quantity }))
        .toSorted((a, b) => (a.productId < b.productId ? -1 : 1)),
  };
}

function refuseUnknown(products: ReadonlyMap<string, ProductRow>, asked: Wanted): void {
  const details = asked.flatMap(({ productId }, index) =>
    products.has(productId) ? [] : [{ field: `items[${index}].productId`, message: "is not a product" }],
  );
  if (details.length > 0) throw new Failure(unknownProduct, "Some products do not exist", { details });
}

function refuseShort(stockOf: (productId: string) => number, wanted: Wanted, asked: Wanted): void {
  const details = wanted.flatMap(({ productId, quantity }): Detail[] => {
    const stock = stockOf(productId);
    const field = `items[${asked.findIndex((item) => item.productId === productId)}].quantity`;
    return stock >= quantity ? [] : [{ field, message: `is more than the ${stock} in stock` }];
  });
  if (details.length > 0) throw new Failure(insufficientStock, "There is not enough in stock", { details });
}
