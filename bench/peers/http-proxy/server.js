// A gateway as one is made of Fastify: the token is verified and remembered, the limit counted and told, the rest
// handed on by @fastify/http-proxy.

import proxy from "@fastify/http-proxy";
import fastify from "fastify";
import { importJWK, jwtVerify } from "jose";

const { PORT, UPSTREAM_URL, TOKEN_JWK } = process.env;
const { kty, crv, x } = JSON.parse(TOKEN_JWK);
const key = await importJWK({ kty, crv, x }, "EdDSA");
const app = fastify({ logger: false });
const tokens = new Map();
const limit = 100_000_000;

app.get("/health", () => ({ status: "healthy" }));
app.register(proxy, {
  upstream: UPSTREAM_URL,
  prefix: "/v1",
  rewritePrefix: "/v1",
  async preHandler(request, reply) {
    const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    let caller = tokens.get(token);
    if (caller === undefined || caller.expiresAtMs <= Date.now()) {
      const verified = await jwtVerify(token, key, { audience: "shop", issuer: "shop" }).catch(() => undefined);
      if (verified === undefined) return reply.code(401).send({ error: { code: "UNAUTHENTICATED" } });
      caller = { expiresAtMs: verified.payload.exp * 1000, left: limit, resetAtMs: 0 };
      tokens.set(token, caller);
    }
    const now = Date.now();
    if (now >= caller.resetAtMs) Object.assign(caller, { left: limit, resetAtMs: now + 60_000 });
    caller.left--;
    reply.header("x-ratelimit-limit", limit);
    reply.header("x-ratelimit-remaining", caller.left);
    reply.header("x-ratelimit-reset", Math.ceil(caller.resetAtMs / 1000));
    return undefined;
  },
});

await app.listen({ host: "127.0.0.1", port: Number(PORT) });
process.once("SIGTERM", () => void app.close());
