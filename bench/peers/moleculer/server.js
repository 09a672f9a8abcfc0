// The same requests with Moleculer and moleculer-web, in one process: the gateway, and a service for products and for orders.
//
// As its documentation shows them: actions with `params`, which fastest-validator checks; `authentication` and
// `rateLimit` of moleculer-web; the built-in memory cacher with keys. Its own database mixins know no two tables in one
// transaction, so services hold a pool of pg from `started` on, with prepared statements.

import { importJWK, jwtVerify } from "jose";
import { ServiceBroker } from "moleculer";
import ApiGateway from "moleculer-web";
import pg from "pg";
import { orders, products } from "./services.js";

const { PORT, DATABASE_URL, TOKEN_JWK, CACHE } = process.env;
const { kty, crv, x } = JSON.parse(TOKEN_JWK);
const key = await importJWK({ kty, crv, x }, "EdDSA");

const api = {
  name: "api",
  mixins: [ApiGateway],
  settings: {
    ip: "127.0.0.1",
    port: Number(PORT),
    rateLimit: { window: 60_000, limit: 100_000_000, headers: true },
    routes: [
      {
        path: "/v1",
        authentication: true,
        bodyParsers: { json: true },
        aliases: {
          "GET products/:id": "products.get",
          "GET users/:id/orders": "orders.list",
          "POST orders": "orders.create",
        },
      },
      { path: "/", aliases: { "GET health": (_request, response) => response.end("{}") } },
    ],
  },
  methods: {
    async authenticate(_ctx, _route, request) {
      const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
      const { payload } = await jwtVerify(token, key, { audience: "shop", issuer: "shop" }).catch(() => {
        throw new ApiGateway.Errors.UnAuthorizedError(ApiGateway.Errors.ERR_INVALID_TOKEN);
      });
      return { userId: payload.sub, roles: payload.roles };
    },
  },
};

const pool = new pg.Pool({ connectionString: DATABASE_URL });
const broker = new ServiceBroker({ logger: false, cacher: CACHE === "on" ? "Memory" : undefined });
for (const schema of [products(pool), orders(pool), api]) broker.createService(schema);
await broker.start();
process.once("SIGTERM", () => void broker.stop().then(() => pool.end()));
