// The life of an order: its steps, who may take them, and what they announce.

import { decodeId, encodeId } from "ashlar/base";
import { roleMissing } from "ashlar/auth";
import { Failure, type In, notFound, type Out, type RowOf } from "ashlar/contract";
import type { Tx } from "ashlar/data";
import { changeRow, type Context, pageOfArray, type StandardInput } from "ashlar/service";
import { lockOrderIds } from "./checkout.ts";
import {
  illegalTransition,
  order,
  orderCancelled,
  orderConfirmed,
  orderDelivered,
  orderShipped,
  type orders,
  type statuses,
} from "./contract.ts";

type Operations = typeof orders.operations;
type Order = RowOf<typeof order>;
type Status = (typeof statuses)[number];

const nextSteps: Record<Status, readonly Status[]> = {
  pending: ["confirmed", "cancelled"],
  confirmed: ["shipped", "cancelled"],
  shipped: ["delivered"],
  delivered: [],
  cancelled: [],
};

const announcements = {
  confirmed: orderConfirmed,
  shipped: orderShipped,
  delivered: orderDelivered,
  cancelled: orderCancelled,
};

/** Takes a step. A customer may only cancel; an admin may take any legal step. */
export async function updateOrder(ctx: Context, input: StandardInput): Promise<Order> {
  return changeRow(ctx, order, input, async (tx, current, next) => {
    const status = next.status as Status;
    if (status === current.status) return;
    const isAdmin = ctx.caller.kind === "user" && ctx.caller.roles.includes("admin");
    if (status !== "cancelled" && !isAdmin) throw roleMissing();
    checkStep(current.status, status);
    await announceStep(ctx, tx, current, status);
  });
}

/** Moves a locked order on, when the step is legal; answers whether it was. For subscribers. */
export async function takeStep(ctx: Context, tx: Tx, current: Order, status: Status): Promise<boolean> {
  if (!nextSteps[current.status].includes(status)) return false;
  await ctx.table(order).update(tx, current.id, { status }, ctx.now());
  await announceStep(ctx, tx, current, status);
  return true;
}

/** Takes the step from pending to confirmed for locked orders at once; each announces it by its own context. */
export async function confirm(
  tx: Tx,
  pending: readonly Order[],
  contextOf: (orderId: string) => Context,
): Promise<void> {
  const status: Status = "confirmed";
  const sent = tx.query(
    {
      name: "orders.confirm",
      text: "update orders set status = $2, version = version + 1, updated_at = $3 where id = any($1::uuid[])",
    },
    [pending.map(({ id }) => decodeId("ord", id)), status, contextOf(pending[0]!.id).now()],
  );
  await Promise.all([sent, ...pending.map((one) => announceStep(contextOf(one.id), tx, one, status))]);
}

function checkStep(from: Status, to: Status): void {
  const legal = nextSteps[from];
  if (legal.includes(to)) return;
  const message =
    legal.length === 0
      ? `cannot change any more: the order is ${from}`
      : `can only become ${legal.join(" or ")}: the order is ${from}`;
  throw new Failure(illegalTransition, `An order that is ${from} cannot become ${to}`, {
    details: [{ field: "status", message }],
  });
}

/** The version in the event is the one the step leads to. */
async function announceStep(
  ctx: Context,
  tx: Tx,
  { id, version, userId, total, currency, items }: Order,
  status: Status,
): Promise<void> {
  if (status === "pending") return;
  await ctx.emit(tx, announcements[status], {
    aggregateId: id,
    version: version + 1,
    data: { userId, total, currency, items },
  });
}

export async function listOrderItems(
  ctx: Context,
  { params, list }: In<Operations["listOrderItems"]> & Pick<StandardInput, "list">,
): Promise<Out<Operations["listOrderItems"]>> {
  const found = await ctx.table(order).get(ctx.db, params.id);
  const { caller } = ctx;
  const isAllowed = caller.kind === "user" && (caller.userId === found?.userId || caller.roles.includes("admin"));
  if (found === undefined || !isAllowed) throw notFound();
  return pageOfArray(ctx, `items of ${found.id}`, found.items, list);
}

/**
 * Answers which of the orders were placed, and makes sure that the others never will be.
 * One order at a time under its lock, so that a checkout under way is either seen or prevented.
 */
export async function abandonOrders(
  ctx: Context,
  { body }: In<Operations["abandonOrders"]>,
): Promise<Out<Operations["abandonOrders"]>> {
  const placed: { orderId: string; status: Status }[] = [];
  for (const orderId of body.orderIds) {
    const status = await ctx.transaction(async (tx) => {
      await lockOrderIds(tx, [orderId]);
      const { rows } = await tx.query<{ id: string; status: Status }>("select id, status from orders where id = $1", [
        decodeId("ord", orderId),
      ]);
      if (rows[0] !== undefined) return rows[0].status;
      await tx.query("insert into abandoned_orders (order_id, abandoned_at) values ($1, $2) on conflict do nothing", [
        decodeId("ord", orderId),
        ctx.now(),
      ]);
      return undefined;
    });
    if (status !== undefined) placed.push({ orderId, status });
  }
  return { placed };
}

/** The ids of a customer's orders that are still pending. */
export async function pendingOrdersOf(tx: Tx, userId: string): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    "select id from orders where user_id = $1 and status = 'pending' order by id",
    [decodeId("usr", userId)],
  );
  return rows.map(({ id }) => encodeId("ord", id));
}
