import "reflect-metadata";
import { randomUUID } from "node:crypto";
import { DataSource, EntitySchema, In } from "typeorm";

const number = { to: (value) => value, from: Number };
const text = (length) => ({ type: "varchar", length });
const money = { type: "numeric", precision: 15, scale: 2, transformer: number };
const times = {
  createdAt: { type: "timestamptz", name: "created_at" },
  updatedAt: { type: "timestamptz", name: "updated_at" },
};
const id = { type: "uuid", primary: true };

const Product = new EntitySchema({
  name: "Product",
  tableName: "products",
  columns: {
    id,
    sku: text(64),
    name: text(200),
    description: { type: "text" },
    price: money,
    currency: { type: "char", length: 3 },
    stock: { type: "int" },
    version: { type: "int" },
    ...times,
  },
});

const Order = new EntitySchema({
  name: "Order",
  tableName: "orders",
  columns: {
    id,
    userId: { type: "uuid", name: "user_id" },
    status: text(20),
    total: money,
    currency: { type: "char", length: 3 },
    version: { type: "int" },
    ...times,
  },
  relations: { items: { type: "one-to-many", target: "OrderItem", inverseSide: "order" } },
});

const OrderItem = new EntitySchema({
  name: "OrderItem",
  tableName: "order_items",
  columns: {
    orderId: { type: "uuid", primary: true, name: "order_id" },
    line: { type: "smallint", primary: true },
    productId: { type: "uuid", name: "product_id" },
    sku: text(64),
    name: text(200),
    quantity: { type: "int" },
    unitPrice: { ...money, name: "unit_price" },
  },
  relations: {
    order: { type: "many-to-one", target: "Order", inverseSide: "items", joinColumn: { name: "order_id" } },
  },
});

const Outbox = new EntitySchema({
  name: "Outbox",
  tableName: "outbox",
  columns: {
    id,
    type: { type: "text" },
    aggregateId: { type: "uuid", name: "aggregate_id" },
    data: { type: "jsonb" },
    createdAt: times.createdAt,
  },
});

export async function openData(url) {
  const entities = [Product, Order, OrderItem, Outbox];
  return new DataSource({ type: "postgres", url, entities, logging: false }).initialize();
}

export const readProduct = (data, id) => data.getRepository(Product).findOneBy({ id });

export async function readOrders(data, userId, limit) {
  const orders = await data.getRepository(Order).find({
    where: { userId },
    relations: { items: true },
    order: { createdAt: "DESC", id: "DESC" },
    take: limit,
  });
  return orders.map((order) => ({ ...order, items: order.items.toSorted(byLine).map(shown) }));
}

// Ordered in the query, `take` would count lines in place of orders.
const byLine = (a, b) => a.line - b.line;
const shown = ({ productId, sku, name, quantity, unitPrice }) => {
  return { productId, sku, name, quantity, unitPrice, lineTotal: Math.round(unitPrice * 100 * quantity) / 100 };
};

/** Undefined when there is no such product. */
export function placeOrder(data, userId, items) {
  return data.transaction(async (manager) => {
    const products = await manager.findBy(Product, { id: In(items.map(({ productId }) => productId)) });
    const byId = new Map(products.map((product) => [product.id, product]));
    if (items.some(({ productId }) => !byId.has(productId))) return undefined;
    const lines = items.map(({ productId, quantity }, line) => {
      const { sku, name, price } = byId.get(productId);
      return { line, productId, sku, name, quantity, unitPrice: price };
    });
    const total = lines.reduce((sum, one) => sum + Math.round(one.unitPrice * 100) * one.quantity, 0) / 100;
    const now = new Date();
    const { currency } = products[0];
    const times = { createdAt: now, updatedAt: now };
    const order = { id: randomUUID(), userId, status: "pending", total, currency, version: 1, ...times };
    await manager.insert(Order, order);
    await manager.insert(
      OrderItem,
      lines.map((one) => ({ ...one, orderId: order.id })),
    );
    const answer = { ...order, items: lines.map(shown) };
    await manager.insert(Outbox, {
      id: randomUUID(),
      type: "order.created",
      aggregateId: order.id,
      data: answer,
      createdAt: now,
    });
    return answer;
  });
}
