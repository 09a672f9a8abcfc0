// The cart: what a customer means to buy, shown at today's prices.

import { decodeId, encodeId } from "ashlar/base";
import { Failure, type In, notFound, type Out, unprocessable } from "ashlar/contract";
import type { Queryable, Tx } from "ashlar/data";
import type { Context } from "ashlar/service";
import { catalog, unknownProduct } from "../catalog/contract.ts";
import { mixedCurrencies, type orders } from "./contract.ts";
import { lineTotal, priceOf } from "./pricing.ts";

type Operations = typeof orders.operations;
type Cart = Out<Operations["getCart"]>;

const itemsMax = 100;

export interface CartItem {
  productId: string;
  quantity: number;
  sku: string;
  name: string;
  unitPrice: number;
  currency: string;
}

export async function getCart(ctx: Context, { params }: In<Operations["getCart"]>): Promise<Cart> {
  const items = await itemsOfCart(ctx.db, params.userId);
  return present(ctx.db, params.userId, await atTodaysPrices(ctx, items));
}

export async function setCartItem(ctx: Context, { params, body }: In<Operations["setCartItem"]>): Promise<Cart> {
  const { userId, productId } = params;
  const { products } = await ctx.call(catalog.operations.priceProducts, { body: { productIds: [productId] } });
  const product = products[0];
  if (product === undefined)
    throw new Failure(unknownProduct, "There is no such product", {
      details: [{ field: "productId", message: "is not a product" }],
    });
  await ctx.transaction(async (tx) => {
    await touchCart(ctx, tx, userId);
    const others = (await itemsOfCart(tx, userId)).filter((item) => item.productId !== productId);
    if (others.length >= itemsMax) throw unprocessable(`A cart holds at most ${itemsMax} products`);
    if (others.some(({ currency }) => currency !== product.currency)) {
      throw new Failure(mixedCurrencies, `The cart is in ${others[0]!.currency}, this product in ${product.currency}`);
    }
    await saveItem(ctx, tx, userId, { ...product, quantity: body.quantity });
  });
  return getCart(ctx, { params: { userId }, query: {}, body: undefined });
}

export async function removeCartItem(ctx: Context, { params }: In<Operations["removeCartItem"]>): Promise<void> {
  await ctx.transaction(async (tx) => {
    const { rowCount } = await tx.query("delete from cart_items where user_id = $1 and product_id = $2", [
      decodeId("usr", params.userId),
      decodeId("prd", params.productId),
    ]);
    if (rowCount === 0) throw notFound("This product is not in the cart");
    await touchCart(ctx, tx, params.userId);
  });
}

export async function emptyCart(ctx: Context, { params }: In<Operations["emptyCart"]>): Promise<void> {
  await ctx.transaction((tx) => clearCart(ctx, tx, params.userId));
}

/** Takes everything out of a cart, in the caller's transaction. */
export async function clearCart(ctx: Context, tx: Tx, userId: string): Promise<void> {
  const { rowCount } = await tx.query({ name: "carts.clear", text: "delete from cart_items where user_id = $1" }, [
    decodeId("usr", userId),
  ]);
  if (rowCount > 0) await touchCart(ctx, tx, userId);
}

export async function itemsOfCart(db: Queryable, userId: string): Promise<CartItem[]> {
  const { rows } = await db.query<{
    product_id: string;
    quantity: number;
    sku: string;
    name: string;
    unit_price: number;
    currency: string;
  }>(
    {
      name: "carts.items",
      text: "select product_id, quantity, sku, name, unit_price, currency from cart_items where user_id = $1 order by added_at, product_id",
    },
    [decodeId("usr", userId)],
  );
  return rows.map((row) => ({
    productId: encodeId("prd", row.product_id),
    quantity: row.quantity,
    sku: row.sku,
    name: row.name,
    unitPrice: row.unit_price,
    currency: row.currency,
  }));
}

/** Takes the lock of a cart: changes of one cart, its checkout among them, happen one after the other. */
export async function lockCart(tx: Tx, userId: string): Promise<void> {
  await tx.query({ name: "carts.lock", text: "select 1 from carts where user_id = $1 for update" }, [
    decodeId("usr", userId),
  ]);
}

async function touchCart(ctx: Context, tx: Tx, userId: string): Promise<void> {
  await tx.query(
    {
      name: "carts.touch",
      text: `insert into carts (user_id, version, updated_at) values ($1, 1, $2)
        on conflict (user_id) do update set version = carts.version + 1, updated_at = excluded.updated_at`,
    },
    [decodeId("usr", userId), ctx.now()],
  );
}

async function saveItem(ctx: Context, tx: Tx, userId: string, item: CartItem): Promise<void> {
  await tx.query(
    {
      name: "carts.save",
      text: `insert into cart_items (user_id, product_id, quantity, sku, name, unit_price, currency, added_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (user_id, product_id) do update set quantity = excluded.quantity, sku = excluded.sku, name = excluded.name,
          unit_price = excluded.unit_price, currency = excluded.currency`,
    },
    [
      decodeId("usr", userId),
      decodeId("prd", item.productId),
      item.quantity,
      item.sku,
      item.name,
      item.unitPrice,
      item.currency,
      ctx.now(),
    ],
  );
}

/** Replaces the remembered names and prices by catalog's; a product that is gone keeps the remembered ones. */
async function atTodaysPrices(ctx: Context, items: readonly CartItem[]): Promise<CartItem[]> {
  if (items.length === 0) return [];
  const { products } = await ctx.call(catalog.operations.priceProducts, {
    body: { productIds: items.map(({ productId }) => productId) },
  });
  const today = new Map(products.map((product) => [product.productId, product]));
  return items.map((item) => ({ ...item, ...today.get(item.productId) }));
}

async function present(db: Queryable, userId: string, items: readonly CartItem[]): Promise<Cart> {
  const { rows } = await db.query<{ version: number; updated_at: string }>(
    { name: "carts.read", text: "select version, updated_at from carts where user_id = $1" },
    [decodeId("usr", userId)],
  );
  const price = items.length === 0 ? { total: 0, currency: null } : priceOf(items);
  return {
    userId,
    items: items.map(({ currency: _currency, ...item }) => ({ ...item, lineTotal: lineTotal(item) })),
    // A product may have changed its currency since it was put in; then there is no one total.
    ...(typeof price === "string" ? { total: null, currency: null } : price),
    version: rows[0]?.version ?? 0,
    updatedAt: rows[0]?.updated_at ?? null,
  };
}
