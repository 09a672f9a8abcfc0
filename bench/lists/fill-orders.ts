// A million orders of fifty thousand customers, made by PostgreSQL. One customer has three tenths of them.

import { encodeId } from "ashlar/base";
import type { Database } from "ashlar/data";
import { fillWithoutIndexes } from "./without-indexes.ts";

export const orderCount = 1_000_000;
export const customerCount = 50_000;

const resellerUuid = "00000000-0000-7000-8000-000000000000";
/** The customer with most orders. */
export const reseller = encodeId("usr", resellerUuid);
/** The sort values of a place in the middle of the newest first. */
export const middle = ["2025-01-01T00:00:00Z", resellerUuid];

/** Ids are UUIDv7 of the moment of the order, as the application makes them; the newest thousand are pending. */
export async function fillOrders(database: Database): Promise<void> {
  await fillWithoutIndexes(database, "orders", () =>
    database.query(`
    insert into orders (id, user_id, status, items, total, currency, version, created_at, updated_at)
    select
      (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
      ('00000000-0000-7000-8000-' || lpad(to_hex(case when n % 10 < 3 then 0 else 1 + n::bigint * 7919 % (${customerCount} - 1) end), 12, '0'))::uuid,
      case when n > ${orderCount} - 1000 then 'pending' else (array['delivered', 'delivered', 'delivered', 'shipped', 'cancelled'])[1 + n % 5] end,
      json_build_array(json_build_object('id', 'itm_01h455vb4pex5vsknk084sn02q', 'productId', 'prd_01h455vb4pex5vsknk084sn02q',
        'sku', 'MUG-350-WHT', 'name', 'A mug of white china', 'quantity', 1 + n % 3, 'unitPrice', 9.99, 'lineTotal', 9.99 * (1 + n % 3))),
      (n::bigint * 7919 % 100000) / 100.0, 'EUR', 4, at, at + interval '3 days'
    from generate_series(1, ${orderCount}) as n, lateral (select timestamptz '2024-01-01T00:00:00Z' + n * interval '61 seconds' as at) as made`),
  );
}
