// What catalog does when orders says something happened.

import type { Envelope } from "ashlar/contract";
import type { Tx } from "ashlar/data";
import type { Context, Heard } from "ashlar/service";
import { stockCommitted } from "./contract.ts";
import { itemsOf, lockReservation, lockReservations, release, setState } from "./reservations.ts";

/** Orders were placed: their reservations become sales. */
export async function commitStock(tx: Tx, heard: readonly Heard[]): Promise<void> {
  const { ctx } = heard[0]!;
  const reservations = await lockReservations(
    tx,
    heard.map(({ event }) => event.aggregateId),
  );
  const held = heard.flatMap((one) => {
    const orderId = one.event.aggregateId;
    const reservation = reservations.get(orderId);
    // A placed order always has its reservation: it is given back only after orders promised not to place.
    if (reservation === undefined || reservation.state === "released")
      throw new Error(`Order ${orderId} was placed without a reservation of stock`);
    return reservation.state === "held" ? [{ ctx: one.ctx, orderId, items: itemsOf(reservation.lines) }] : [];
  });
  if (held.length === 0) return;
  await Promise.all([
    setState(
      ctx,
      tx,
      held.map(({ orderId }) => orderId),
      "committed",
    ),
    ...held.map((one) =>
      one.ctx.emit(tx, stockCommitted, {
        aggregateId: one.orderId,
        data: { orderId: one.orderId, items: one.items },
      }),
    ),
  ]);
}

/** An order was cancelled: what it held or had bought is for sale again. */
export async function returnStock(ctx: Context, { aggregateId: orderId }: Envelope, tx: Tx): Promise<void> {
  const reservation = await lockReservation(tx, orderId);
  if (reservation === undefined || reservation.state === "released") return;
  await release(ctx, tx, reservation, "cancelled");
}
