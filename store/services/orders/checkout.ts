// Checkout: reserve the stock in catalog, then commit order, event, record and emptied cart together.
//
// The order's id is chosen first and the reservation made under it, so every end is covered: a refusal
// gives the stock back at once; a crash leaves a reservation that expires; a commit whose outcome is
// unknown leaves it to catalog, which asks (`abandonOrders`) before it takes anything back.

import { canonicalJson, decodeId, encodeId } from "ashlar/base";
import { Failure, type In, type Out, type RowOf } from "ashlar/contract";
import type { Tx } from "ashlar/data";
import { type Context, type Member, together } from "ashlar/service";
import { catalog } from "../catalog/contract.ts";
import { clearCart, itemsOfCart, lockCart } from "./cart.ts";
import {
  cartChanged,
  emptyCart,
  mixedCurrencies,
  order,
  orderCreated,
  type orders,
  priceChanged,
  totalTooLarge,
} from "./contract.ts";
import { lineTotal, type Price, priceOf } from "./pricing.ts";

type PlaceOrder = In<typeof orders.operations.placeOrder>;
type Items = { productId: string; quantity: number }[];
type Order = RowOf<typeof order>;

const idsPerCheckout = 3;

export async function placeOrder(ctx: Context, { body, params }: PlaceOrder): Promise<Order> {
  const userId = (params as { userId?: string }).userId ?? callerId(ctx);
  const fromCart = body.items === undefined;
  const items =
    body.items ?? (await itemsOfCart(ctx.db, userId)).map(({ productId, quantity }) => ({ productId, quantity }));
  if (items.length === 0) throw new Failure(emptyCart, "There is nothing in the cart");

  for (let attempt = 1; ; attempt++) {
    const orderId = ctx.newId("ord");
    const lines = await reserve(ctx, orderId, items);
    try {
      const price = acceptablePrice(lines, body.expectedTotal);
      const placed = { orderId, userId, lines, price };
      return await (fromCart ? placeCart(ctx, placed, items) : ctx.transactionTogether(placing, placed));
    } catch (error) {
      if (error instanceof Abandoned && attempt < idsPerCheckout) continue;
      if (error instanceof Failure && isRefusal(error)) await giveBack(ctx, orderId);
      throw error;
    }
  }
}

function callerId({ caller }: Context): string {
  if (caller.kind !== "user") throw new Error("Only a user can check out; the contract grants it to nobody else");
  return caller.userId;
}

type OrderLine = Out<typeof catalog.operations.reserveStock>["items"][number] & { quantity: number };

/** Sets the stock aside; the same product asked for twice is one line. */
async function reserve(ctx: Context, orderId: string, items: Items): Promise<OrderLine[]> {
  const { items: reserved } = await ctx.call(catalog.operations.reserveStock, { body: { orderId, items } });
  const quantities = new Map<string, number>();
  for (const { productId, quantity } of items) quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  const inAskedOrder = [...quantities.keys()].map((productId) =>
    reserved.find((line) => line.productId === productId)!,
  );
  return inAskedOrder.map((line) => ({ ...line, quantity: quantities.get(line.productId)! }));
}

function acceptablePrice(lines: readonly OrderLine[], expectedTotal: number | undefined): Price {
  const price = priceOf(lines);
  if (price === "mixed currencies") throw new Failure(mixedCurrencies, "The items are priced in different currencies");
  if (price === "too large") throw new Failure(totalTooLarge, "The total is beyond what can be represented exactly");
  if (expectedTotal !== undefined && expectedTotal !== price.total) {
    throw new Failure(priceChanged, `The total is ${price.total} ${price.currency}`, {
      details: [{ field: "expectedTotal", message: `is not the total, which is ${price.total}` }],
    });
  }
  return price;
}

interface NewOrder {
  orderId: string;
  userId: string;
  lines: readonly OrderLine[];
  price: Price;
}

/** Orders of one moment. One whose id was abandoned is refused, and the others are placed. */
const placing = together<NewOrder, Order>(async (tx, members) => {
  const abandoned = await claim(
    tx,
    members.map(({ input }) => input.orderId),
  );
  const placed = await insertOrders(
    tx,
    members.filter(({ input }) => !abandoned.has(input.orderId)),
  );
  return members.map(({ input: { orderId } }) => {
    const value = placed.get(orderId);
    return value === undefined ? { refused: new Abandoned(`Order ${orderId} was abandoned`) } : { value };
  });
});

/** Places what is in the cart, and empties it. */
function placeCart(ctx: Context, input: NewOrder, items: Items): Promise<Order> {
  return ctx.transaction(async (tx) => {
    const { orderId, userId } = input;
    if ((await claim(tx, [orderId])).size > 0) throw new Abandoned(`Order ${orderId} was abandoned`);
    await takeCart(ctx, tx, userId, items);
    return (await insertOrders(tx, [{ ctx, input }])).get(orderId)!;
  });
}

/** The reservation under this id expired and was taken back: the order must not be placed under it. */
class Abandoned extends Error {}

/**
 * Agrees with `abandonOrders` on who was first: both lock the id, then look for what the other writes. Answers those
 * that were abandoned.
 */
async function claim(tx: Tx, orderIds: readonly string[]): Promise<Set<string>> {
  const [, { rows }] = await Promise.all([
    lockOrderIds(tx, orderIds),
    tx.query<{ order_id: string }>(
      {
        name: "orders.abandoned",
        text: "select order_id from abandoned_orders where order_id = any($1::uuid[])",
      },
      [orderIds.map((orderId) => decodeId("ord", orderId))],
    ),
  ]);
  return new Set(rows.map(({ order_id }) => encodeId("ord", order_id)));
}

/** Serialises what decides whether an order is placed. Held until the transaction ends; taken in one order everywhere. */
export async function lockOrderIds(tx: Tx, orderIds: readonly string[]): Promise<void> {
  await tx.query(
    {
      name: "orders.claim",
      text: "select pg_advisory_xact_lock(hashtextextended(order_id, 0)) from unnest($1::text[]) as o (order_id)",
    },
    [orderIds.toSorted()],
  );
}

/** Empties the cart, if it still holds what is being bought: one cart is checked out once. */
async function takeCart(ctx: Context, tx: Tx, userId: string, items: Items): Promise<void> {
  await lockCart(tx, userId);
  const now = (await itemsOfCart(tx, userId)).map(({ productId, quantity }) => ({ productId, quantity }));
  if (canonicalJson(now) !== canonicalJson(items))
    throw new Failure(cartChanged, "The cart changed while it was checked out");
  await clearCart(ctx, tx, userId);
}

async function insertOrders(tx: Tx, members: readonly Member<NewOrder>[]): Promise<Map<string, Order>> {
  if (members.length === 0) return new Map();
  const { ctx } = members[0]!;
  const orders = members.map(({ ctx: own, input: { orderId, userId, lines, price } }) => {
    const items = lines.map(({ currency: _currency, ...line }) => ({
      id: own.newId("itm"),
      ...line,
      lineTotal: lineTotal(line),
    }));
    return { id: orderId, userId, status: "pending" as const, items, ...price };
  });
  const placed = await ctx.table(order).insertMany(tx, orders, ctx.now());
  await Promise.all(
    placed.map(({ id, userId, version, items, total, currency }, index) =>
      members[index]!.ctx.emit(tx, orderCreated, {
        aggregateId: id,
        version,
        data: { userId, total, currency, items },
      }),
    ),
  );
  return new Map(placed.map((one) => [one.id, one]));
}

/** A refusal certainly placed nothing. A 5xx may have: its reservation is left to expire. */
function isRefusal({ status }: Failure): boolean {
  return status < 500;
}

async function giveBack(ctx: Context, orderId: string): Promise<void> {
  // When this fails the reservation expires by itself; the customer gets the refusal either way.
  await ctx
    .call(catalog.operations.releaseStock, { body: { orderId } })
    .catch((err: unknown) => ctx.log.warn({ err, orderId }, "A reservation is left to expire"));
}
