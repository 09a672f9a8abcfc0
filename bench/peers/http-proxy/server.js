// A gateway as one is made of Fastify: each token is verified, with REMEMBER_TOKENS once until it expires; the limit is
// counted and told, the rest handed on by @fastify/http-proxy.

import proxy from "@fastify/http-proxy";
import fastify from "fastify";
import { importJWK, jwtVerify } from "jose";

const { PORT, UPSTREAM_URL, TOKEN_JWK, REMEMBER_TOKENS } = process.env;
const { kty, crv, x } = JSON.parse(TOKEN_JWK);
const key = await importJWK({ kty, crv, x }, "EdDSA");
const app = fastify({ logger: false });
const tokens = new Map();
const tokensMax = 10_000;
const limit = 100_000_000;
const windowMs = 60_000;
const buckets = new Map();

async function callerOf(token) {
  const known = tokens.get(token);
  if (known !== undefined && known.expiresAtMs > Date.now()) return known;
  const verified = await jwtVerify(token, key, { audience: "shop", issuer: "shop" }).catch(() => undefined);
  if (verified === undefined) return undefined;
  const { sub, exp } = verified.payload;
  const caller = { userId: sub, expiresAtMs: exp * 1000 };
  if (REMEMBER_TOKENS === undefined) return caller;
  if (tokens.size >= tokensMax) tokens.clear();
  tokens.set(token, caller);
  return caller;
}

app.get("/health", () => ({ status: "healthy" }));
app.register(proxy, {
  upstream: UPSTREAM_URL,
  prefix: "/v1",
  rewritePrefix: "/v1",
  async preHandler(request, reply) {
    const caller = await callerOf((request.headers.authorization ?? "").replace(/^Bearer /, ""));
    if (caller === undefined) return reply.code(401).send({ error: { code: "UNAUTHENTICATED" } });
    const now = Date.now();
    let bucket = buckets.get(caller.userId);
    if (bucket === undefined || now >= bucket.resetAtMs) {
      bucket = { left: limit, resetAtMs: now + windowMs };
      buckets.set(caller.userId, bucket);
    }
    bucket.left--;
    reply.header("x-ratelimit-limit", limit);
    reply.header("x-ratelimit-remaining", bucket.left);
    reply.header("x-ratelimit-reset", Math.ceil(bucket.resetAtMs / 1000));
    return undefined;
  },
});

await app.listen({ host: "127.0.0.1", port: Number(PORT) });
process.once("SIGTERM", () => void app.close());
