// What orders does when others say something happened.

import type { Envelope, EventType } from "ashlar/contract";
import type { Tx } from "ashlar/data";
import type { Context } from "ashlar/service";
import type { stockCommitted } from "../catalog/contract.ts";
import { clearCart } from "./cart.ts";
import { order } from "./contract.ts";
import { pendingOrdersOf, takeStep } from "./orders.ts";

type DataOf<E> = E extends EventType<infer D> ? D : never;

/** Catalog sold the stock: a pending order is confirmed. One that was cancelled meanwhile stays cancelled. */
export async function confirmOrder(
  ctx: Context,
  { data }: Envelope<DataOf<typeof stockCommitted>>,
  tx: Tx,
): Promise<void> {
  const current = await ctx.table(order).get(tx, data.orderId, { lock: true });
  if (current?.status === "pending") await takeStep(ctx, tx, current, "confirmed");
}

/** A user is gone: their cart is emptied and what is still pending is cancelled. */
export async function closeAccount(ctx: Context, { aggregateId: userId }: Envelope, tx: Tx): Promise<void> {
  await clearCart(ctx, tx, userId);
  for (const orderId of await pendingOrdersOf(tx, userId)) {
    const current = await ctx.table(order).get(tx, orderId, { lock: true });
    if (current?.status === "pending") await takeStep(ctx, tx, current, "cancelled");
  }
}
