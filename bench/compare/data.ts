// What lies in every target's database, as arithmetic: the answers can be checked without asking one.

import { encodeId } from "ashlar/base";

export interface Size {
  users: number;
  products: number;
  orders: number;
}

export const sizes: Readonly<Record<string, Size>> = {
  full: { users: 100_000, products: 20_000, orders: 1_000_000 },
  small: { users: 2_000, products: 2_000, orders: 40_000 },
};

/** Users with a history of about 40 orders, from whom the requests come; the others share what is left. */
export const regulars = 256;
/** One order in so many is a regular's. */
const regularEvery = (size: Size) => Math.max(1, Math.floor(size.orders / (regulars * 40)));
export const itemsPerOrder = 3;
export const password = "a long enough passphrase";

type Kind = "product" | "user";
const groups: Record<Kind, string> = { product: "8000", user: "8001" };
const prefixes: Record<Kind, string> = { product: "prd", user: "usr" };

/** Numbers are written so that SQL, pgbench and this agree on an id without a table of them. */
export function uuidOf(kind: Kind, n: number): string {
  return `00000000-0000-7000-${groups[kind]}-000000${100_000 + n}`;
}

export function typeIdOf(kind: Kind, n: number): string {
  return encodeId(prefixes[kind], uuidOf(kind, n));
}

export function uuidSql(kind: Kind, n: string): string {
  return `('00000000-0000-7000-${groups[kind]}-000000' || (100000 + ${n}))::uuid`;
}

export const priceSql = (n: string) => `(100 + ${n}::bigint * 37 % 9900) / 100.0`;

/** The user of order `n`, and product and quantity of its line `k`, counted from 0. */
export const userSql = (size: Size) =>
  `case when n % ${regularEvery(size)} = 0 then 1 + (n / ${regularEvery(size)}) % ${regulars} else 1 + ${regulars} + (n::bigint * 7919 % ${size.users - regulars})::int end`;
export const lineProductSql = (size: Size) => `(1 + (n::bigint * 3 + k) % ${size.products})::int`;
export const quantitySql = "(1 + (n + k) % 3)";
/** Within two years however many there are: what is placed now is newer than all of them. */
export const atSql = ({ orders }: Size) =>
  `timestamptz '2024-01-01T00:00:00Z' + n * interval '${Math.min(61, 61_000_000 / orders)} seconds'`;
export const orderIdSql = (size: Size) =>
  `(lpad(to_hex((extract(epoch from ${atSql(size)}) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid`;

export interface Product {
  sku: string;
  name: string;
  price: number;
}

export function productOf(n: number): Product {
  return { sku: `SKU-${n}`, name: `Product ${n}`, price: (100 + ((n * 37) % 9900)) / 100 };
}

export const descriptionSql = `'Number ' || n || ' of the catalogue, described in a sentence or two as products are.'`;
export const emailOf = (n: number) => `user${n}@example.com`;

export interface Line {
  product: number;
  quantity: number;
}

export function linesOf(n: number, size: Size): Line[] {
  return Array.from({ length: itemsPerOrder }, (_, k) => ({
    product: 1 + ((n * 3 + k) % size.products),
    quantity: 1 + ((n + k) % 3),
  }));
}

/** In whole cents, since a sum of fractions would not be exact. */
export function totalOf(lines: readonly Line[]): number {
  const cents = lines.reduce(
    (sum, { product, quantity }) => sum + Math.round(productOf(product).price * 100) * quantity,
    0,
  );
  return cents / 100;
}

/** A regular's orders, newest first, by number. */
export function ordersOf(regular: number, size: Size): number[] {
  const every = regularEvery(size);
  const found: number[] = [];
  for (let n = every; n <= size.orders; n += every) if (1 + ((n / every) % regulars) === regular) found.unshift(n);
  return found;
}
