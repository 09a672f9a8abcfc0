import type { In, Out } from "ashlar/contract";
import type { Context } from "ashlar/service";
import { catalog, product } from "./contract.ts";

type PriceProducts = typeof catalog.operations.priceProducts;

export async function priceProducts(ctx: Context, { body }: In<PriceProducts>): Promise<Out<PriceProducts>> {
  const rows = await ctx.table(product).getMany(ctx.db, body.productIds);
  return {
    products: rows.map(({ id, sku, name, price, currency }) => ({
      productId: id,
      sku,
      name,
      unitPrice: price,
      currency,
    })),
  };
}
