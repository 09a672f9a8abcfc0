// What somebody who knows the trade writes by hand for these five requests, and nothing that these do not need.
//
// Fastify, whose Ajv validates; postgres.js, whose statements are prepared, one a request where one suffices; jose.
// Each token is verified, as jose's documentation shows; with REMEMBER_TOKENS a verified one is remembered until it
// expires. Limits are counted in memory, a cached product is kept as the text that is sent.

import { createHash, randomBytes, randomUUID } from "node:crypto";
import { verify } from "@node-rs/argon2";
import fastify from "fastify";
import { importJWK, jwtVerify, SignJWT } from "jose";
import postgres from "postgres";

const { PORT, DATABASE_URL, TOKEN_JWK, CACHE, REMEMBER_TOKENS } = process.env;
const jwk = JSON.parse(TOKEN_JWK);
const [privateKey, publicKey] = await Promise.all([
  importJWK(jwk, "EdDSA"),
  importJWK({ kty: jwk.kty, crv: jwk.crv, x: jwk.x }, "EdDSA"),
]);
const audience = "shop";
const sql = postgres(DATABASE_URL, { max: 10, onnotice: () => {} });
const app = fastify({ logger: false });

const tokensMax = 10_000;
const tokens = new Map();

async function callerOf(request) {
  const { authorization = "" } = request.headers;
  if (!authorization.startsWith("Bearer ")) throw refusal(401, "UNAUTHENTICATED", "Sign in first");
  const token = authorization.slice(7);
  const known = tokens.get(token);
  if (known !== undefined && known.expiresAtMs > Date.now()) return known;
  const { payload } = await jwtVerify(token, publicKey, { audience, issuer: audience }).catch(() => {
    throw refusal(401, "UNAUTHENTICATED", "The token is not valid");
  });
  const caller = { userId: payload.sub, roles: payload.roles, expiresAtMs: payload.exp * 1000 };
  if (REMEMBER_TOKENS === undefined) return caller;
  if (tokens.size >= tokensMax) tokens.clear();
  tokens.set(token, caller);
  return caller;
}

const limit = 100_000_000;
const windowMs = 60_000;
const buckets = new Map();

function takeLimit(reply, key) {
  const now = Date.now();
  let bucket = buckets.get(key);
  if (bucket === undefined || now >= bucket.resetAtMs) {
    bucket = { left: limit, resetAtMs: now + windowMs };
    buckets.set(key, bucket);
  }
  bucket.left--;
  reply.header("x-ratelimit-limit", limit);
  reply.header("x-ratelimit-remaining", Math.max(0, bucket.left));
  reply.header("x-ratelimit-reset", Math.ceil(bucket.resetAtMs / 1000));
  if (bucket.left < 0) throw refusal(429, "RATE_LIMITED", "Too many requests");
}

function refusal(statusCode, code, message) {
  return Object.assign(new Error(message), { statusCode, code });
}

app.setErrorHandler((error, _request, reply) => {
  const status = error.statusCode ?? 500;
  const message = status < 500 ? error.message : "Something unexpected happened";
  return reply.code(status).send({ error: { code: error.code ?? "INTERNAL", message } });
});

app.addHook("onRequest", async (request, reply) => {
  if (request.url === "/health") return;
  if (request.url === "/auth/login") return takeLimit(reply, request.ip);
  request.caller = await callerOf(request);
  takeLimit(reply, request.caller.userId);
});

app.get("/health", () => ({ status: "healthy" }));

const uuid = { type: "string", format: "uuid" };
const byId = { params: { type: "object", properties: { id: uuid }, required: ["id"] } };
const json = "application/json; charset=utf-8";

const cached = new Map();
const ttlMs = 60_000;

async function readProduct(id) {
  const [row] = await sql`select id, sku, name, description, price::float8 as price, currency, stock, version,
    created_at as "createdAt", updated_at as "updatedAt" from products where id = ${id}`;
  return row;
}

app.get("/v1/products/:id", { schema: byId }, async (request, reply) => {
  const { id } = request.params;
  const kept = CACHE === "on" ? cached.get(id) : undefined;
  if (kept !== undefined && kept.untilMs > Date.now()) return reply.type(json).send(kept.text);
  const product = await readProduct(id);
  if (product === undefined) throw refusal(404, "NOT_FOUND", "There is no such product");
  const text = JSON.stringify(product);
  if (CACHE === "on") cached.set(id, { text, untilMs: Date.now() + ttlMs });
  return reply.type(json).send(text);
});

const ofUser = {
  ...byId,
  querystring: {
    type: "object",
    properties: { limit: { type: "integer", minimum: 1, maximum: 100, default: 20 } },
    additionalProperties: false,
  },
};

app.get("/v1/users/:id/orders", { schema: ofUser }, async (request) => {
  const { id } = request.params;
  if (id !== request.caller.userId) throw refusal(404, "NOT_FOUND", "There is no such user");
  const data = await sql`
    select id, user_id as "userId", status, total::float8 as total, currency, version,
      created_at as "createdAt", updated_at as "updatedAt",
      (select json_agg(json_build_object('productId', product_id, 'sku', sku, 'name', name, 'quantity', quantity,
        'unitPrice', unit_price::float8, 'lineTotal', (unit_price * quantity)::float8) order by line)
       from order_items where order_id = o.id) as items
    from orders as o where user_id = ${id} order by created_at desc, id desc limit ${request.query.limit}`;
  return { data };
});

const checkout = {
  body: {
    type: "object",
    properties: {
      items: {
        type: "array",
        minItems: 1,
        maxItems: 100,
        items: {
          type: "object",
          properties: { productId: uuid, quantity: { type: "integer", minimum: 1, maximum: 999 } },
          required: ["productId", "quantity"],
          additionalProperties: false,
        },
      },
    },
    required: ["items"],
    additionalProperties: false,
  },
};

app.post("/v1/orders", { schema: checkout }, async (request, reply) => {
  const { items } = request.body;
  const products = await sql`select id, sku, name, price::float8 as price, currency from products
    where id = any(${items.map(({ productId }) => productId)}::uuid[])`;
  const lines = items.map(({ productId, quantity }, line) => {
    const product = products.find(({ id }) => id === productId);
    if (product === undefined) throw refusal(422, "UNKNOWN_PRODUCT", "There is no such product");
    return { line, productId, sku: product.sku, name: product.name, quantity, unitPrice: product.price };
  });
  const total = lines.reduce((sum, one) => sum + Math.round(one.unitPrice * 100) * one.quantity, 0) / 100;
  const now = new Date().toISOString();
  const order = {
    id: randomUUID(),
    userId: request.caller.userId,
    status: "pending",
    items: lines,
    total,
    currency: products[0].currency,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  // One statement is one transaction, and one round trip.
  await sql`
    with placed as (
      insert into orders (id, user_id, status, total, currency, created_at, updated_at)
      values (${order.id}, ${order.userId}, 'pending', ${total}, ${order.currency}, ${now}, ${now})
    ), filled as (
      insert into order_items (order_id, line, product_id, sku, name, quantity, unit_price)
      select ${order.id}::uuid, * from unnest(${lines.map((one) => one.line)}::int[], ${lines.map((one) => one.productId)}::uuid[],
        ${lines.map((one) => one.sku)}::text[], ${lines.map((one) => one.name)}::text[], ${lines.map((one) => one.quantity)}::int[],
        ${lines.map((one) => one.unitPrice)}::numeric[])
    )
    insert into outbox (id, type, aggregate_id, data, created_at)
    values (${randomUUID()}, 'order.created', ${order.id}, ${sql.json(order)}, ${now})`;
  return reply.code(201).header("location", `/v1/orders/${order.id}`).send(order);
});

const login = {
  body: {
    type: "object",
    properties: { email: { type: "string", maxLength: 255 }, password: { type: "string", maxLength: 128 } },
    required: ["email", "password"],
    additionalProperties: false,
  },
};

app.post("/auth/login", { schema: login }, async (request) => {
  const { email, password } = request.body;
  const [user] =
    await sql`select id, email, roles, password_hash from users where lower(email) = ${email.toLowerCase()}`;
  if (user === undefined || !(await verify(user.password_hash, password)))
    throw refusal(401, "UNAUTHENTICATED", "Email or password is wrong");
  const refreshToken = randomBytes(32).toString("base64url");
  const hash = createHash("sha256").update(refreshToken).digest("hex");
  await sql`insert into sessions (id, user_id, token_hash, expires_at) values (${randomUUID()}, ${user.id}, ${hash}, now() + interval '30 days')`;
  const accessToken = await new SignJWT({ email: user.email, roles: user.roles })
    .setProtectedHeader({ alg: "EdDSA" })
    .setSubject(user.id)
    .setIssuer(audience)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime("15m")
    .sign(privateKey);
  return { accessToken, refreshToken, tokenType: "Bearer", expiresIn: 900 };
});

await app.listen({ host: "127.0.0.1", port: Number(PORT) });
process.once("SIGTERM", () => void app.close().then(() => sql.end({ timeout: 1 })));
