// Fills a database, in SQL: the store's three, and the one of those who keep everything in one.

import { createPasswords } from "ashlar/auth";
import { silentLogger, systemClock } from "ashlar/base";
import { createDatabase, type Database, migrate } from "ashlar/data";
import { unusablePlatform } from "ashlar/runtime";
import { migrationsOf } from "ashlar/service";
import { services } from "../../store/services.ts";
import { fillWithoutIndexes } from "../lists/without-indexes.ts";
import * as data from "./data.ts";
import { shopTables } from "./shop-tables.ts";

export const databases = ["users", "catalog", "orders", "shop"] as const;
export type DatabaseName = (typeof databases)[number];

const passwordHash = () => createPasswords({ clock: systemClock }).hash(data.password);

export async function fill(name: DatabaseName, url: string, size: data.Size): Promise<void> {
  // Filling takes longer than any statement of a service may.
  const database = createDatabase({ url, log: silentLogger, clock: systemClock, statementTimeoutMs: 0 });
  try {
    const owner = services(unusablePlatform).find(({ contract }) => contract.database === name);
    if (owner === undefined) await database.query(shopTables);
    else await migrate(database, migrationsOf(owner), { log: silentLogger });
    await fillers[name](database, size);
  } finally {
    await database.close();
  }
}

const fillers: Record<DatabaseName, (database: Database, size: data.Size) => Promise<void>> = {
  users: fillUsers,
  catalog: fillProducts,
  orders: fillOrders,
  async shop(database, size) {
    await fillUsers(database, size);
    await fillProducts(database, size);
    await fillShopOrders(database, size);
  },
};

async function fillUsers(database: Database, size: data.Size): Promise<void> {
  const hash = await passwordHash();
  await fillWithoutIndexes(database, "users", () =>
    database.query(
      `insert into users (id, email, name, password_hash, created_at, updated_at)
       select ${data.uuidSql("user", "n")}, 'user' || n || '@example.com', 'User ' || n, $1, ${data.atSql(size)}, ${data.atSql(size)}
       from generate_series(1, ${size.users}) as n`,
      [hash],
    ),
  );
}

async function fillProducts(database: Database, size: data.Size): Promise<void> {
  await fillWithoutIndexes(database, "products", () =>
    database.query(
      `insert into products (id, sku, name, description, price, currency, stock, created_at, updated_at)
       select ${data.uuidSql("product", "n")}, 'SKU-' || n, 'Product ' || n, ${data.descriptionSql}, ${data.priceSql("n")}, 'EUR', 1000000000, ${data.atSql(size)}, ${data.atSql(size)}
       from generate_series(1, ${size.products}) as n`,
    ),
  );
}

/** The lines are made in JSON, in the form that checkout gives them. */
async function fillOrders(database: Database, size: data.Size): Promise<void> {
  const ids = Array.from({ length: size.products }, (_, index) => data.typeIdOf("product", index + 1));
  await database.query("create table product_ids (n int primary key, id text)");
  await database.query("insert into product_ids select n, id from unnest($1::text[]) with ordinality as t (id, n)", [
    ids,
  ]);
  const { rows } = await database.query<{ count: string }>("select count(*) from product_ids");
  if (Number(rows[0]!.count) !== size.products) throw new Error("The ids of products did not arrive");
  await fillWithoutIndexes(database, "orders", () =>
    database.query(
      `insert into orders (id, user_id, status, items, total, currency, version, created_at, updated_at)
       select ${data.orderIdSql(size)}, ${data.uuidSql("user", `(${data.userSql(size)})`)}, 'confirmed', lines.items, lines.total, 'EUR', 2, ${data.atSql(size)}, ${data.atSql(size)}
       from generate_series(1, ${size.orders}) as n, lateral (
         select sum(price * quantity) as total, json_agg(json_build_object('id', 'itm_01h455vb4pex5vskn' || lpad((n * 3 + k)::text, 9, '0'), 'productId', p.id,
           'sku', 'SKU-' || p.n, 'name', 'Product ' || p.n, 'quantity', quantity, 'unitPrice', price::float8, 'lineTotal', (price * quantity)::float8) order by k) as items
         from (select k, ${data.lineProductSql(size)} as product, ${data.quantitySql} as quantity from generate_series(0, ${data.itemsPerOrder - 1}) as k) as line
         join product_ids as p on p.n = line.product, lateral (select (${data.priceSql("p.n")})::numeric(10, 2) as price) as priced
       ) as lines`,
    ),
  );
  await database.query("drop table product_ids");
}

async function fillShopOrders(database: Database, size: data.Size): Promise<void> {
  await fillWithoutIndexes(database, "order_items", () =>
    database.query(
      `insert into order_items (order_id, line, product_id, sku, name, quantity, unit_price)
       select ${data.orderIdSql(size)}, k, ${data.uuidSql("product", "product")}, 'SKU-' || product, 'Product ' || product, ${data.quantitySql}, ${data.priceSql("product")}
       from generate_series(1, ${size.orders}) as n, generate_series(0, ${data.itemsPerOrder - 1}) as k, lateral (select ${data.lineProductSql(size)} as product) as p`,
    ),
  );
  await fillWithoutIndexes(database, "orders", () =>
    database.query(
      `insert into orders (id, user_id, status, total, currency, version, created_at, updated_at)
       select ${data.orderIdSql(size)}, ${data.uuidSql("user", `(${data.userSql(size)})`)}, 'confirmed', totals.total, 'EUR', 2, ${data.atSql(size)}, ${data.atSql(size)}
       from generate_series(1, ${size.orders}) as n, lateral (
         select sum(quantity * (${data.priceSql("product")})::numeric(10, 2)) as total
         from (select ${data.lineProductSql(size)} as product, ${data.quantitySql} as quantity from generate_series(0, ${data.itemsPerOrder - 1}) as k) as line
       ) as totals`,
    ),
  );
}
