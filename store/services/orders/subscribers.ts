// What orders does when others say something happened.

import type { Envelope, EventType } from "ashlar/contract";
import type { Tx } from "ashlar/data";
import type { Context, Heard } from "ashlar/service";
import type { stockCommitted } from "../catalog/contract.ts";
import { clearCart } from "./cart.ts";
import { order } from "./contract.ts";
import { confirm, pendingOrdersOf, takeStep } from "./orders.ts";

type DataOf<E> = E extends EventType<infer D> ? D : never;

/** Catalog sold the stock: pending orders are confirmed. One that was cancelled meanwhile stays cancelled. */
export async function confirmOrders(tx: Tx, heard: readonly Heard<DataOf<typeof stockCommitted>>[]): Promise<void> {
  const { ctx } = heard[0]!;
  const contexts = new Map(heard.map((one) => [one.event.data.orderId, one.ctx]));
  const orders = await ctx.table(order).getMany(tx, [...contexts.keys()], { lock: true });
  const pending = orders.filter(({ status }) => status === "pending");
  if (pending.length > 0) await confirm(tx, pending, (orderId) => contexts.get(orderId)!);
}

/** A user is gone: their cart is emptied and what is still pending is cancelled. */
export async function closeAccount(ctx: Context, { aggregateId: userId }: Envelope, tx: Tx): Promise<void> {
  await clearCart(ctx, tx, userId);
  for (const orderId of await pendingOrdersOf(tx, userId)) {
    const current = await ctx.table(order).get(tx, orderId, { lock: true });
    if (current?.status === "pending") await takeStep(ctx, tx, current, "cancelled");
  }
}
