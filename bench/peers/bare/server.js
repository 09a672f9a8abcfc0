// The ceiling: node:http and pg with nothing between them, the same checks, and every means that the kind of work allows.
//
// Product reads that arrive together become one statement, checkouts that arrive together one transaction. Nobody would
// keep a service like this; it tells what the machine can do.

import { createPublicKey, randomUUID, verify } from "node:crypto";
import { createServer } from "node:http";
import pg from "pg";

const { PORT, DATABASE_URL, TOKEN_JWK, CACHE } = process.env;
const { kty, crv, x } = JSON.parse(TOKEN_JWK);
const key = createPublicKey({ key: { kty, crv, x }, format: "jwk" });
const text = (value) => value;
const types = { getTypeParser: (oid) => (oid === 1700 || oid === 701 || oid === 23 ? Number : text) };
const clients = await Promise.all(
  Array.from({ length: 4 }, async () => {
    const client = new pg.Client({ connectionString: DATABASE_URL, pipeline: true, types });
    await client.connect();
    return client;
  }),
);
let turn = 0;
const query = (name, sql, values) => clients[turn++ % clients.length].query({ name, text: sql, values });

const tokens = new Map();

function callerOf({ headers: { authorization = "" } }) {
  const known = tokens.get(authorization);
  if (known !== undefined && known.expiresAtMs > Date.now()) return known;
  const [head, body, signature] = authorization.replace(/^Bearer /, "").split(".");
  const signed = Buffer.from(`${head}.${body}`);
  if (signature === undefined || !verify(null, signed, key, Buffer.from(signature, "base64url"))) return undefined;
  const { sub, exp, iss, aud } = JSON.parse(Buffer.from(body, "base64url").toString());
  if (iss !== "shop" || aud !== "shop" || exp * 1000 <= Date.now()) return undefined;
  const caller = { userId: sub, expiresAtMs: exp * 1000, left: limit, resetAtMs: 0 };
  tokens.set(authorization, caller);
  return caller;
}

const limit = 100_000_000;
const limitText = String(limit);

function send(response, status, body, caller) {
  const lines = ["Content-Type", "application/json; charset=utf-8", "Content-Length", String(Buffer.byteLength(body))];
  if (caller !== undefined) {
    const now = Date.now();
    if (now >= caller.resetAtMs) Object.assign(caller, { left: limit, resetAtMs: now + 60_000 });
    caller.left--;
    lines.push("X-RateLimit-Limit", limitText, "X-RateLimit-Remaining", String(caller.left));
    lines.push("X-RateLimit-Reset", String(Math.ceil(caller.resetAtMs / 1000)));
  }
  response.writeHead(status, lines);
  response.end(body);
}

const refuse = (response, status, code, caller) => send(response, status, `{"error":{"code":"${code}"}}`, caller);

/** Collects what comes in one turn of the event loop, and runs it together. */
function together(run) {
  let waiting = [];
  const flush = () => {
    const batch = waiting;
    waiting = [];
    run(batch);
  };
  return (one) => {
    if (waiting.push(one) === 1) setImmediate(flush);
  };
}

const columns = `id, sku, name, description, price::float8 as price, currency, stock, version,
  created_at as "createdAt", updated_at as "updatedAt"`;
const cached = new Map();

const readProduct = together((batch) => {
  const ids = [...new Set(batch.map(({ id }) => id))];
  query("products", `select ${columns} from products where id = any($1::uuid[])`, [ids])
    .then(({ rows }) => {
      const found = new Map(rows.map((row) => [row.id, JSON.stringify(row)]));
      for (const { id, response, caller } of batch) {
        const body = found.get(id);
        if (body === undefined) refuse(response, 404, "NOT_FOUND", caller);
        else {
          if (CACHE === "on") cached.set(id, { body, untilMs: Date.now() + 60_000 });
          send(response, 200, body, caller);
        }
      }
    })
    .catch(() => batch.forEach(({ response, caller }) => refuse(response, 500, "INTERNAL", caller)));
});

const history = `select coalesce(json_agg(one), '[]')::text as data from (
  select id, user_id as "userId", status, total::float8 as total, currency, version,
    created_at as "createdAt", updated_at as "updatedAt",
    (select json_agg(json_build_object('productId', product_id, 'sku', sku, 'name', name, 'quantity', quantity,
      'unitPrice', unit_price::float8, 'lineTotal', (unit_price * quantity)::float8) order by line)
     from order_items where order_id = o.id) as items
  from orders as o where user_id = $1 order by created_at desc, id desc limit 20) as one`;

function readOrders(id, response, caller) {
  if (id !== caller.userId) return refuse(response, 404, "NOT_FOUND", caller);
  query("history", history, [id])
    .then(({ rows }) => send(response, 200, `{"data":${rows[0].data}}`, caller))
    .catch(() => refuse(response, 500, "INTERNAL", caller));
}

const placeSql = `
  with wanted as (
    select (o->>'id')::uuid as id, (o->>'userId')::uuid as user_id, (i->>'line')::int as line,
      (i->>'productId')::uuid as product_id, (i->>'quantity')::int as quantity
    from json_array_elements($1::json) as o, json_array_elements(o->'items') as i
  ), lines as (
    select w.*, p.sku, p.name, p.price, p.currency from wanted as w join products as p on p.id = w.product_id
  ), placed as (
    insert into orders (id, user_id, status, total, currency, created_at, updated_at)
    select id, user_id, 'pending', sum(price * quantity), min(currency), now(), now() from lines group by id, user_id
    returning id, user_id, status, total, currency, version, created_at, updated_at
  ), filled as (
    insert into order_items (order_id, line, product_id, sku, name, quantity, unit_price)
    select id, line, product_id, sku, name, quantity, price from lines
  ), shown as (
    select o.id, json_build_object('id', o.id, 'userId', o.user_id, 'status', o.status, 'total', o.total::float8,
      'currency', o.currency, 'version', o.version, 'createdAt', o.created_at, 'updatedAt', o.updated_at,
      'items', json_agg(json_build_object('productId', l.product_id, 'sku', l.sku, 'name', l.name, 'quantity', l.quantity,
        'unitPrice', l.price::float8) order by l.line)) as body
    from placed as o join lines as l on l.id = o.id
    group by o.id, o.user_id, o.status, o.total, o.currency, o.version, o.created_at, o.updated_at
  ), announced as (
    insert into outbox (id, type, aggregate_id, data, created_at)
    select gen_random_uuid(), 'order.created', id, body, now() from shown
  )
  select id, body::text as body from shown`;

const placeOrder = together((batch) => {
  const orders = batch.map(({ id, caller, items }) => ({ id, userId: caller.userId, items }));
  query("place", placeSql, [JSON.stringify(orders)])
    .then(({ rows }) => {
      const placed = new Map(rows.map((row) => [row.id, row.body]));
      for (const { id, response, caller } of batch) {
        const body = placed.get(id);
        if (body === undefined) refuse(response, 422, "UNKNOWN_PRODUCT", caller);
        else send(response, 201, body, caller);
      }
    })
    .catch(() => batch.forEach(({ response, caller }) => refuse(response, 500, "INTERNAL", caller)));
});

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function itemsOf(body) {
  try {
    const { items } = JSON.parse(body);
    const sound = items.every(
      ({ productId, quantity }) =>
        uuid.test(productId) && Number.isInteger(quantity) && quantity >= 1 && quantity <= 999,
    );
    return sound && items.length >= 1 && items.length <= 100
      ? items.map((item, line) => ({ ...item, line }))
      : undefined;
  } catch {
    return undefined;
  }
}

const productPath = "/v1/products/";
const usersPath = "/v1/users/";

createServer((request, response) => {
  const { url, method } = request;
  if (url === "/health") return send(response, 200, "{}");
  const caller = callerOf(request);
  if (caller === undefined) return refuse(response, 401, "UNAUTHENTICATED");
  if (method === "GET" && url.startsWith(productPath)) {
    const id = url.slice(productPath.length);
    if (!uuid.test(id)) return refuse(response, 404, "NOT_FOUND", caller);
    const kept = CACHE === "on" ? cached.get(id) : undefined;
    if (kept !== undefined && kept.untilMs > Date.now()) return send(response, 200, kept.body, caller);
    return readProduct({ id, response, caller });
  }
  if (method === "GET" && url.startsWith(usersPath))
    return readOrders(url.slice(usersPath.length).split("/", 1)[0], response, caller);
  if (method !== "POST" || url !== "/v1/orders") return refuse(response, 404, "NOT_FOUND", caller);
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    const items = itemsOf(body);
    if (items === undefined) refuse(response, 400, "VALIDATION_ERROR", caller);
    else placeOrder({ id: randomUUID(), items, response, caller });
  });
}).listen(Number(PORT), "127.0.0.1");
process.once("SIGTERM", () => process.exit(0));
