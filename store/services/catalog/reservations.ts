// Stock set aside for orders.
//
// A reservation is taken before an order is placed and made permanent by `order.created`. If the order
// never comes, it expires; but an expired reservation is given back only after orders has promised that
// the order will never be placed, so a slow checkout cannot end up with an order and no stock.

import { decodeId, encodeId, timestamp } from "ashlar/base";
import { conflict, type In, type Out } from "ashlar/contract";
import type { Part, Tx } from "ashlar/data";
import { type Context, together } from "ashlar/service";
import { orders } from "../orders/contract.ts";
import { type catalog, product, stockReleased } from "./contract.ts";
import { lockShelf, type Shelf, type Wanted } from "./shelf.ts";

type ReserveStock = typeof catalog.operations.reserveStock;
type ReleaseStock = typeof catalog.operations.releaseStock;

const reservationMs = 60_000;
const expiredAtOnce = 100;
const rememberMs = 7 * 24 * 60 * 60 * 1000;

export type Line = Out<ReserveStock>["items"][number] & { quantity: number };
type Moved = { productId: string; quantity: number };

export interface Reservation {
  orderId: string;
  state: "held" | "committed" | "released";
  lines: Line[];
}

/** Sets stock aside. Repeated for one order it answers the same lines; with other items it starts over. */
export function reserveStock(ctx: Context, { body }: In<ReserveStock>): Promise<Out<ReserveStock>> {
  return ctx.transactionTogether(reserving, body);
}

/** Reservations of one moment, one after the other in memory: what each takes off the shelf, the next does not find. */
const reserving = together<In<ReserveStock>["body"], Out<ReserveStock>>(async (tx, members) => {
  const { ctx } = members[0]!;
  const asked = members.map(({ input: { orderId, items } }) => ({ orderId, items, wanted: summed(items) }));
  const orderIds = asked.map(({ orderId }) => orderId);
  const productIds = asked.flatMap(({ wanted }) => wanted.map(({ productId }) => productId));
  const [, reservations, shelf] = await Promise.all([
    lockOrderIds(tx, orderIds),
    lockReservations(tx, orderIds),
    lockShelf(tx, productIds),
  ]);
  const saved = new Map<string, Line[]>();
  const parts = asked.map((one): Part<Out<ReserveStock>> => {
    try {
      const reservation = reserve(one, reservations.get(one.orderId), shelf);
      reservations.set(one.orderId, reservation);
      saved.set(one.orderId, reservation.lines);
      return { value: answer(reservation.lines) };
    } catch (refused) {
      return { refused };
    }
  });
  // The transaction does not commit before it has both answers: nobody has to wait for the one to send the other.
  await Promise.all([moveStock(ctx, tx, shelf.moved()), saveReservations(ctx, tx, saved)]);
  return parts;
});

interface Asked {
  orderId: string;
  items: Wanted;
  /** The same items, each product once. */
  wanted: Wanted;
}

/** All or nothing: what throws has moved nothing. */
function reserve({ orderId, items, wanted }: Asked, earlier: Reservation | undefined, shelf: Shelf): Reservation {
  if (earlier?.state === "committed") throw conflict("This order was placed already");
  if (earlier?.state === "held" && sameItems(earlier.lines, wanted)) return earlier;
  const back = earlier?.state === "held" ? earlier.lines : [];
  const lines = shelf.take(wanted, items, back);
  return { orderId, state: "held", lines };
}

/** Gives back what an order that was refused had set aside. Does nothing once the order was placed. */
export async function releaseStock(ctx: Context, { body }: In<ReleaseStock>): Promise<void> {
  await ctx.transaction(async (tx) => {
    const reservation = await lockReservation(tx, body.orderId);
    if (reservation?.state === "held") await release(ctx, tx, reservation, "refused");
  });
}

/** Gives back the stock of a reservation that is still held or was sold, once. */
export async function release(
  ctx: Context,
  tx: Tx,
  { orderId, lines }: Reservation,
  reason: "cancelled" | "expired" | "refused",
): Promise<void> {
  await moveStock(ctx, tx, lines);
  await setState(ctx, tx, [orderId], "released");
  await ctx.emit(tx, stockReleased, { aggregateId: orderId, data: { orderId, items: itemsOf(lines), reason } });
}

/** Ends reservations whose orders never came. Orders decides: what it did not place, it now never will. */
export async function expireReservations(ctx: Context): Promise<void> {
  const { rows } = await ctx.db.query<{ order_id: string }>(
    "select order_id from reservations where state = 'held' and expires_at <= $1 order by expires_at limit $2",
    [ctx.now(), expiredAtOnce],
  );
  if (rows.length === 0) return;
  const orderIds = rows.map(({ order_id }) => encodeId("ord", order_id));
  const { placed } = await ctx.call(orders.operations.abandonOrders, { body: { orderIds } });
  const placedIds = new Set(placed.map(({ orderId }) => orderId));
  for (const orderId of orderIds) {
    await ctx.transaction(async (tx) => {
      const reservation = await lockReservation(tx, orderId);
      if (reservation?.state !== "held") return;
      // The event of a placed order is on its way and will settle it; until then the stock stays taken.
      if (placedIds.has(orderId)) await prolong(ctx, tx, reservation);
      else await release(ctx, tx, reservation, "expired");
    });
  }
}

/** Forgets reservations that ended long ago: no event about them can still be on its way. */
export async function forgetReservations(ctx: Context): Promise<void> {
  await ctx.db.query(
    "delete from reservations where order_id in (select order_id from reservations where state <> 'held' and updated_at < $1 limit 1000)",
    [timestamp(ctx.clock.nowMs() - rememberMs)],
  );
}

export function itemsOf(lines: readonly Line[]): { productId: string; quantity: number }[] {
  return lines.map(({ productId, quantity }) => ({ productId, quantity }));
}

/**
 * Two tries of one checkout may ask at once, in two processes. The first finds no row to lock, and neither would
 * the second: both would take the stock. In one order, as all locks here, so that nobody waits in a circle.
 */
async function lockOrderIds(tx: Tx, orderIds: readonly string[]): Promise<void> {
  await tx.query(
    {
      name: "reservations.claim",
      text: "select pg_advisory_xact_lock(hashtextextended(order_id, 0)) from unnest($1::text[]) as o (order_id)",
    },
    [orderIds.toSorted()],
  );
}

/** By the ids of their orders. */
export async function lockReservations(tx: Tx, orderIds: readonly string[]): Promise<Map<string, Reservation>> {
  const { rows } = await tx.query<{ order_id: string; state: Reservation["state"]; lines: Line[] }>(
    {
      name: "reservations.lock",
      text: "select order_id, state, lines from reservations where order_id = any($1::uuid[]) order by order_id for update",
    },
    [orderIds.map((orderId) => decodeId("ord", orderId))],
  );
  return new Map(
    rows.map(({ order_id, state, lines }) => {
      const orderId = encodeId("ord", order_id);
      return [orderId, { orderId, state, lines }];
    }),
  );
}

export async function lockReservation(tx: Tx, orderId: string): Promise<Reservation | undefined> {
  return (await lockReservations(tx, [orderId])).get(orderId);
}

export async function setState(
  ctx: Context,
  tx: Tx,
  orderIds: readonly string[],
  state: Reservation["state"],
): Promise<void> {
  await tx.query(
    {
      name: "reservations.state",
      text: "update reservations set state = $2, updated_at = $3 where order_id = any($1::uuid[])",
    },
    [orderIds.map((orderId) => decodeId("ord", orderId)), state, ctx.now()],
  );
}

/** The same product twice is one line; ordered by product, so that all writers lock rows in one order. */
function summed(items: Wanted): Wanted {
  const quantities = new Map<string, number>();
  for (const { productId, quantity } of items) quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  return [...quantities]
    .map(([productId, quantity]) => ({ productId, quantity }))
    .toSorted((a, b) => (a.productId < b.productId ? -1 : 1));
}

function sameItems(lines: readonly Line[], wanted: Wanted): boolean {
  return (
    lines.length === wanted.length &&
    wanted.every(
      ({ productId, quantity }, index) => lines[index]!.productId === productId && lines[index]!.quantity === quantity,
    )
  );
}

/**
 * Stock is part of what clients see of a product, so moving it is a new version of the row. It never grows
 * beyond what the column holds: an admin who set the largest number meant "enough".
 */
async function moveStock(ctx: Context, tx: Tx, items: readonly Moved[]): Promise<void> {
  if (items.length === 0) return;
  await tx.query(
    {
      name: "products.move",
      text: `update products as p set stock = least(p.stock::bigint + moved.quantity, 2147483647)::int, version = p.version + 1, updated_at = $3
        from (
          select m.id, m.quantity
          from unnest($1::uuid[], $2::int[]) as m (id, quantity)
          join products as locked on locked.id = m.id
          order by m.id
          for update of locked
        ) as moved
        where p.id = moved.id`,
    },
    [items.map(({ productId }) => decodeId("prd", productId)), items.map(({ quantity }) => quantity), ctx.now()],
  );
  ctx.changed(
    tx,
    product,
    items.map(({ productId }) => ({ id: productId })),
  );
}

async function saveReservations(ctx: Context, tx: Tx, saved: ReadonlyMap<string, Line[]>): Promise<void> {
  if (saved.size === 0) return;
  await tx.query(
    {
      name: "reservations.save",
      text: `insert into reservations (order_id, state, lines, expires_at, created_at, updated_at)
        select order_id, 'held', lines::jsonb, $3, $4, $4 from unnest($1::uuid[], $2::text[]) as s (order_id, lines)
        on conflict (order_id) do update set state = 'held', lines = excluded.lines, expires_at = excluded.expires_at, updated_at = excluded.updated_at`,
    },
    [
      [...saved.keys()].map((orderId) => decodeId("ord", orderId)),
      [...saved.values()].map((lines) => JSON.stringify(lines)),
      timestamp(ctx.clock.nowMs() + reservationMs),
      ctx.now(),
    ],
  );
}

async function prolong(ctx: Context, tx: Tx, { orderId }: Reservation): Promise<void> {
  await tx.query(
    {
      name: "reservations.prolong",
      text: "update reservations set expires_at = $2, updated_at = $3 where order_id = $1",
    },
    [decodeId("ord", orderId), timestamp(ctx.clock.nowMs() + reservationMs), ctx.now()],
  );
}

function answer(lines: readonly Line[]): Out<ReserveStock> {
  return { items: lines.map(({ quantity: _quantity, ...line }) => line) };
}
