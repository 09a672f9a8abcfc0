import { Column, Entity, JoinColumn, ManyToOne, OneToMany, PrimaryColumn, type Relation } from "typeorm";

const number = { to: (value: number) => value, from: Number };
const money = { type: "numeric", precision: 15, scale: 2, transformer: number } as const;

@Entity("products")
export class Product {
  @PrimaryColumn("uuid") id: string;
  @Column({ length: 64 }) sku: string;
  @Column({ length: 200 }) name: string;
  @Column("text") description: string;
  @Column(money) price: number;
  @Column({ type: "char", length: 3 }) currency: string;
  @Column("int") stock: number;
  @Column("int") version: number;
  @Column({ type: "timestamptz", name: "created_at" }) createdAt: Date;
  @Column({ type: "timestamptz", name: "updated_at" }) updatedAt: Date;
}

@Entity("orders")
export class Order {
  @PrimaryColumn("uuid") id: string;
  @Column({ type: "uuid", name: "user_id" }) userId: string;
  @Column({ length: 20 }) status: string;
  @Column(money) total: number;
  @Column({ type: "char", length: 3 }) currency: string;
  @Column("int") version: number;
  @Column({ type: "timestamptz", name: "created_at" }) createdAt: Date;
  @Column({ type: "timestamptz", name: "updated_at" }) updatedAt: Date;
  @OneToMany(() => OrderItem, (item) => item.order) items: Relation<OrderItem[]>;
}

@Entity("order_items")
export class OrderItem {
  @PrimaryColumn({ type: "uuid", name: "order_id" }) orderId: string;
  @PrimaryColumn("smallint") line: number;
  @Column({ type: "uuid", name: "product_id" }) productId: string;
  @Column({ length: 64 }) sku: string;
  @Column({ length: 200 }) name: string;
  @Column("int") quantity: number;
  @Column({ ...money, name: "unit_price" }) unitPrice: number;
  @ManyToOne(() => Order, (order) => order.items)
  @JoinColumn({ name: "order_id" })
  order: Relation<Order>;
}

@Entity("outbox")
export class Outbox {
  @PrimaryColumn("uuid") id: string;
  @Column("text") type: string;
  @Column({ type: "uuid", name: "aggregate_id" }) aggregateId: string;
  @Column("jsonb") data: object;
  @Column({ type: "timestamptz", name: "created_at" }) createdAt: Date;
}
