import { randomUUID } from "node:crypto";
import { Injectable, UnprocessableEntityException } from "@nestjs/common";
import { InjectRepository } from "@nestjs/typeorm";
import { DataSource, In, Repository } from "typeorm";
import { Order, OrderItem, Outbox, Product } from "./entities.js";

@Injectable()
export class ShopService {
  constructor(
    @InjectRepository(Product) private readonly products: Repository<Product>,
    @InjectRepository(Order) private readonly placed: Repository<Order>,
    private readonly data: DataSource,
  ) {}

  product(id: string): Promise<Product | null> {
    return this.products.findOneBy({ id });
  }

  async orders(userId: string, limit: number) {
    const orders = await this.placed.find({
      where: { userId },
      relations: { items: true },
      order: { createdAt: "DESC", id: "DESC" },
      take: limit,
    });
    return orders.map((order) => ({ ...order, items: order.items.toSorted(byLine).map(shown) }));
  }

  place(userId: string, items: readonly { productId: string; quantity: number }[]) {
    return this.data.transaction(async (manager) => {
      const products = await manager.findBy(Product, { id: In(items.map(({ productId }) => productId)) });
      const byId = new Map(products.map((product) => [product.id, product]));
      const lines = items.map(({ productId, quantity }, line) => {
        const product = byId.get(productId);
        if (product === undefined) throw new UnprocessableEntityException("UNKNOWN_PRODUCT");
        return { line, productId, sku: product.sku, name: product.name, quantity, unitPrice: product.price };
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
      const data = { ...order, items: lines.map(shown) };
      const id = randomUUID();
      await manager.insert(Outbox, { id, type: "order.created", aggregateId: order.id, data, createdAt: now });
      return data;
    });
  }
}

/** Ordered in the query, `take` would count lines in place of orders. */
const byLine = (a: OrderItem, b: OrderItem) => a.line - b.line;

function shown({ productId, sku, name, quantity, unitPrice }: Omit<OrderItem, "order" | "orderId">) {
  return { productId, sku, name, quantity, unitPrice, lineTotal: Math.round(unitPrice * 100 * quantity) / 100 };
}
