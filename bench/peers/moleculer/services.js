import { randomUUID } from "node:crypto";
import { Errors } from "moleculer";
import pg from "pg";

// A numeric is a number here, as everywhere in this comparison.
pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number);

const refusal = (code, type) => new Errors.MoleculerClientError(type, code, type);

export const products = (pool) => ({
  name: "products",
  actions: {
    get: {
      params: { id: "uuid" },
      cache: { keys: ["id"], ttl: 60 },
      async handler({ params }) {
        const { rows } = await pool.query({
          name: "product",
          text: `select id, sku, name, description, price, currency, stock, version,
            created_at as "createdAt", updated_at as "updatedAt" from products where id = $1`,
          values: [params.id],
        });
        if (rows.length === 0) throw refusal(404, "NOT_FOUND");
        return rows[0];
      },
    },
    some: {
      params: { ids: { type: "array", items: "uuid" } },
      async handler({ params }) {
        const text = "select id, sku, name, price, currency from products where id = any($1::uuid[])";
        const { rows } = await pool.query({ name: "products", text, values: [params.ids] });
        return rows;
      },
    },
  },
});

export const orders = (pool) => ({
  name: "orders",
  actions: {
    list: {
      params: { id: "uuid", limit: { type: "number", integer: true, min: 1, max: 100, default: 20, convert: true } },
      async handler({ params: { id, limit }, meta }) {
        if (id !== meta.user.userId) throw refusal(404, "NOT_FOUND");
        const { rows } = await pool.query({
          name: "history",
          text: `select id, user_id as "userId", status, total, currency, version,
              created_at as "createdAt", updated_at as "updatedAt",
              (select json_agg(json_build_object('productId', product_id, 'sku', sku, 'name', name, 'quantity', quantity,
                'unitPrice', unit_price::float8, 'lineTotal', (unit_price * quantity)::float8) order by line)
               from order_items where order_id = o.id) as items
            from orders as o where user_id = $1 order by created_at desc, id desc limit $2`,
          values: [id, limit],
        });
        return { data: rows };
      },
    },
    create: {
      params: {
        items: {
          type: "array",
          min: 1,
          max: 100,
          items: {
            type: "object",
            strict: true,
            props: { productId: "uuid", quantity: { type: "number", integer: true, min: 1, max: 999 } },
          },
        },
      },
      async handler(ctx) {
        const order = await orderOf(ctx);
        await insertOrder(pool, order);
        ctx.meta.$statusCode = 201;
        ctx.meta.$location = `/v1/orders/${order.id}`;
        return order;
      },
    },
  },
});

async function orderOf(ctx) {
  const { items } = ctx.params;
  const found = await ctx.call("products.some", { ids: items.map(({ productId }) => productId) });
  const byId = new Map(found.map((product) => [product.id, product]));
  if (items.some(({ productId }) => !byId.has(productId))) throw refusal(422, "UNKNOWN_PRODUCT");
  const lines = items.map(({ productId, quantity }, line) => {
    const { sku, name, price } = byId.get(productId);
    return { line, productId, sku, name, quantity, unitPrice: price };
  });
  const total = lines.reduce((sum, one) => sum + Math.round(one.unitPrice * 100) * one.quantity, 0) / 100;
  const now = new Date().toISOString();
  return {
    id: randomUUID(),
    userId: ctx.meta.user.userId,
    status: "pending",
    items: lines,
    total,
    currency: found[0].currency,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
}

async function insertOrder(pool, { id, userId, items, total, currency, createdAt, ...rest }) {
  const client = await pool.connect();
  const query = (name, text, values) => client.query({ name, text, values });
  try {
    await client.query("begin");
    await query(
      "order",
      `insert into orders (id, user_id, status, total, currency, created_at, updated_at)
       values ($1, $2, 'pending', $3, $4, $5, $5)`,
      [id, userId, total, currency, createdAt],
    );
    const column = (name) => items.map((one) => one[name]);
    await query(
      "items",
      `insert into order_items (order_id, line, product_id, sku, name, quantity, unit_price)
       select $1::uuid, * from unnest($2::int[], $3::uuid[], $4::text[], $5::text[], $6::int[], $7::numeric[])`,
      [id, column("line"), column("productId"), column("sku"), column("name"), column("quantity"), column("unitPrice")],
    );
    await query(
      "outbox",
      "insert into outbox (id, type, aggregate_id, data, created_at) values ($1, 'order.created', $2, $3, $4)",
      [randomUUID(), id, JSON.stringify({ id, userId, items, total, currency, createdAt, ...rest }), createdAt],
    );
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}
