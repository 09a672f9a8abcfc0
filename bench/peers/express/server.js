// The same requests with Express 5 and TypeORM, as their documentation shows them.
//
// Entities are schemas, which is TypeORM's way in JavaScript; a checkout is `dataSource.transaction`. jose verifies each
// token, express-rate-limit counts and tells the limit, zod validates. Express caches nothing and recommends no
// package for it: an LRU cache keeps products.

import express from "express";
import { rateLimit } from "express-rate-limit";
import { importJWK, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { openData, readOrders, readProduct, placeOrder } from "./data.js";

const { PORT, DATABASE_URL, TOKEN_JWK, CACHE } = process.env;
const { kty, crv, x } = JSON.parse(TOKEN_JWK);
const key = await importJWK({ kty, crv, x }, "EdDSA");
const data = await openData(DATABASE_URL);
const app = express();

class Refusal extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
  }
}

app.get("/health", (_request, response) => response.json({ status: "healthy" }));

app.use(async (request, _response, next) => {
  const token = (request.get("authorization") ?? "").replace(/^Bearer /, "");
  const { payload } = await jwtVerify(token, key, { audience: "shop", issuer: "shop" }).catch(() => {
    throw new Refusal(401, "UNAUTHENTICATED");
  });
  request.caller = { userId: payload.sub, roles: payload.roles };
  next();
});
app.use(
  rateLimit({
    windowMs: 60_000,
    limit: 100_000_000,
    legacyHeaders: true,
    standardHeaders: false,
    keyGenerator: (request) => request.caller.userId,
  }),
);
app.use(express.json());

const byId = z.object({ id: z.uuid() });
const page = z.strictObject({ limit: z.coerce.number().int().min(1).max(100).default(20) });
const line = z.strictObject({ productId: z.uuid(), quantity: z.number().int().min(1).max(999) });
const checkout = z.strictObject({ items: z.array(line).min(1).max(100) });

const cached = new LRUCache({ max: 10_000, ttl: 60_000 });

app.get("/v1/products/:id", async (request, response) => {
  const { id } = byId.parse(request.params);
  const kept = CACHE === "on" ? cached.get(id) : undefined;
  if (kept !== undefined) return response.json(kept);
  const product = await readProduct(data, id);
  if (product === null) throw new Refusal(404, "NOT_FOUND");
  if (CACHE === "on") cached.set(id, product);
  return response.json(product);
});

app.get("/v1/users/:id/orders", async (request, response) => {
  const { id } = byId.parse(request.params);
  const { limit } = page.parse(request.query);
  if (id !== request.caller.userId) throw new Refusal(404, "NOT_FOUND");
  response.json({ data: await readOrders(data, id, limit) });
});

app.post("/v1/orders", async (request, response) => {
  const { items } = checkout.parse(request.body);
  const order = await placeOrder(data, request.caller.userId, items);
  if (order === undefined) throw new Refusal(422, "UNKNOWN_PRODUCT");
  response.status(201).location(`/v1/orders/${order.id}`).json(order);
});

app.use((error, _request, response, _next) => {
  const status = error instanceof z.ZodError ? 400 : (error.status ?? 500);
  const code = error instanceof z.ZodError ? "VALIDATION_ERROR" : status === 500 ? "INTERNAL" : error.message;
  response.status(status).json({ error: { code } });
});

const server = app.listen(Number(PORT), "127.0.0.1");
process.once("SIGTERM", () => server.close(() => process.exit(0)));
