// What catalog does when orders says something happened.

import type { Envelope } from "ashlar/contract";
import type { Tx } from "ashlar/data";
import type { Context } from "ashlar/service";
import { stockCommitted } from "./contract.ts";
import { itemsOf, lockReservation, release, setState } from "./reservations.ts";

/** An order was placed: its reservation becomes a sale. */
export async function commitStock(ctx: Context, { aggregateId: orderId }: Envelope, tx: Tx): Promise<void> {
  const reservation = await lockReservation(tx, orderId);
  // A placed order always has its reservation: it is given back only after orders promised not to place.
  if (reservation === undefined || reservation.state === "released")
    throw new Error(`Order ${orderId} was placed without a reservation of stock`);
  if (reservation.state === "committed") return;
  await setState(ctx, tx, orderId, "committed");
  await ctx.emit(tx, stockCommitted, { aggregateId: orderId, data: { orderId, items: itemsOf(reservation.lines) } });
}

/** An order was cancelled: what it held or had bought is for sale again. */
export async function returnStock(ctx: Context, { aggregateId: orderId }: Envelope, tx: Tx): Promise<void> {
  const reservation = await lockReservation(tx, orderId);
  if (reservation === undefined || reservation.state === "released") return;
  await release(ctx, tx, reservation, "cancelled");
}
