// Stock set aside for orders.
//
// A reservation is taken before an order is placed and made permanent by `order.created`. If the order
// never comes, it expires; but an expired reservation is given back only after orders has promised that
// the order will never be placed, so a slow checkout cannot end up with an order and no stock.

import { decodeId, encodeId, timestamp } from "ashlar/base";
import { conflict, type Detail, Failure, type In, type Out } from "ashlar/contract";
import type { Tx } from "ashlar/data";
import type { Context } from "ashlar/service";
import { orders } from "../orders/contract.ts";
import { catalog, insufficientStock, product, stockReleased, unknownProduct } from "./contract.ts";

type ReserveStock = typeof catalog.operations.reserveStock;
type ReleaseStock = typeof catalog.operations.releaseStock;
type Wanted = In<ReserveStock>["body"]["items"];

const reservationMs = 60_000;
const expiredAtOnce = 100;
const rememberMs = 7 * 24 * 60 * 60 * 1000;

type Line = Out<ReserveStock>["items"][number] & { quantity: number };

export interface Reservation {
  orderId: string;
  state: "held" | "committed" | "released";
  lines: Line[];
}

/** Sets stock aside. Repeated for one order it answers the same lines; with other items it starts over. */
export async function reserveStock(ctx: Context, { body }: In<ReserveStock>): Promise<Out<ReserveStock>> {
  const wanted = summed(body.items);
  return ctx.transaction(async (tx) => {
    await lockOrderId(tx, body.orderId);
    const earlier = await lockReservation(tx, body.orderId);
    if (earlier?.state === "committed") throw conflict("This order was placed already");
    if (earlier?.state === "held") {
      if (sameItems(earlier.lines, wanted)) return prolong(ctx, tx, earlier);
      await putBack(ctx, tx, earlier.lines);
    }
    const lines = await takeStock(ctx, tx, wanted, body.items);
    await saveReservation(ctx, tx, body.orderId, lines);
    return answer(lines);
  });
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
  await putBack(ctx, tx, lines);
  await setState(ctx, tx, orderId, "released");
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
 * the second: both would take the stock.
 */
async function lockOrderId(tx: Tx, orderId: string): Promise<void> {
  await tx.query({ name: "reservations.claim", text: "select pg_advisory_xact_lock(hashtextextended($1, 0))" }, [
    orderId,
  ]);
}

export async function lockReservation(tx: Tx, orderId: string): Promise<Reservation | undefined> {
  const { rows } = await tx.query<{ state: Reservation["state"]; lines: Line[] }>(
    { name: "reservations.lock", text: "select state, lines from reservations where order_id = $1 for update" },
    [decodeId("ord", orderId)],
  );
  return rows[0] && { orderId, ...rows[0] };
}

export async function setState(ctx: Context, tx: Tx, orderId: string, state: Reservation["state"]): Promise<void> {
  await tx.query(
    { name: "reservations.state", text: "update reservations set state = $2, updated_at = $3 where order_id = $1" },
    [decodeId("ord", orderId), state, ctx.now()],
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

interface ProductRow extends Record<string, unknown> {
  id: string;
  sku: string;
  name: string;
  price: number;
  currency: string;
  stock: number;
}

/** Takes the stock off the shelf, all or nothing; the refusal names every line that is short. */
async function takeStock(ctx: Context, tx: Tx, wanted: Wanted, asked: Wanted): Promise<Line[]> {
  const { rows } = await tx.query<ProductRow>(
    {
      name: "products.take.lock",
      text: "select id, sku, name, price, currency, stock from products where id = any($1::uuid[]) and deleted_at is null order by id for update",
    },
    [wanted.map(({ productId }) => decodeId("prd", productId))],
  );
  const products = new Map(rows.map((row) => [encodeId("prd", row.id), row]));
  refuseUnknown(products, asked);
  refuseShort(products, wanted, asked);
  await moveStock(ctx, tx, wanted, -1);
  return wanted.map(({ productId, quantity }) => {
    const { sku, name, price, currency } = products.get(productId)!;
    return { productId, sku, name, quantity, unitPrice: price, currency };
  });
}

function refuseUnknown(products: ReadonlyMap<string, ProductRow>, asked: Wanted): void {
  const details = asked.flatMap(({ productId }, index) =>
    products.has(productId) ? [] : [{ field: `items[${index}].productId`, message: "is not a product" }],
  );
  if (details.length > 0) throw new Failure(unknownProduct, "Some products do not exist", { details });
}

function refuseShort(products: ReadonlyMap<string, ProductRow>, wanted: Wanted, asked: Wanted): void {
  const details = wanted.flatMap(({ productId, quantity }): Detail[] => {
    const { stock } = products.get(productId)!;
    const field = `items[${asked.findIndex((item) => item.productId === productId)}].quantity`;
    return stock >= quantity ? [] : [{ field, message: `is more than the ${stock} in stock` }];
  });
  if (details.length > 0) throw new Failure(insufficientStock, "There is not enough in stock", { details });
}

function putBack(ctx: Context, tx: Tx, lines: readonly Line[]): Promise<void> {
  return moveStock(ctx, tx, lines, 1);
}

/**
 * Stock is part of what clients see of a product, so moving it is a new version of the row. It never grows
 * beyond what the column holds: an admin who set the largest number meant "enough".
 */
async function moveStock(
  ctx: Context,
  tx: Tx,
  items: readonly { productId: string; quantity: number }[],
  sign: 1 | -1,
): Promise<void> {
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
    [items.map(({ productId }) => decodeId("prd", productId)), items.map(({ quantity }) => sign * quantity), ctx.now()],
  );
  ctx.changed(
    tx,
    product,
    items.map(({ productId }) => ({ id: productId })),
  );
}

async function saveReservation(ctx: Context, tx: Tx, orderId: string, lines: readonly Line[]): Promise<void> {
  await tx.query(
    {
      name: "reservations.save",
      text: `insert into reservations (order_id, state, lines, expires_at, created_at, updated_at) values ($1, 'held', $2, $3, $4, $4)
        on conflict (order_id) do update set state = 'held', lines = excluded.lines, expires_at = excluded.expires_at, updated_at = excluded.updated_at`,
    },
    [decodeId("ord", orderId), JSON.stringify(lines), timestamp(ctx.clock.nowMs() + reservationMs), ctx.now()],
  );
}

async function prolong(ctx: Context, tx: Tx, { orderId, lines }: Reservation): Promise<Out<ReserveStock>> {
  await tx.query(
    {
      name: "reservations.prolong",
      text: "update reservations set expires_at = $2, updated_at = $3 where order_id = $1",
    },
    [decodeId("ord", orderId), timestamp(ctx.clock.nowMs() + reservationMs), ctx.now()],
  );
  return answer(lines);
}

function answer(lines: readonly Line[]): Out<ReserveStock> {
  return { items: lines.map(({ quantity: _quantity, ...line }) => line) };
}
