// Rate limits and cross-origin access, on a system that has them.

import { strict as assert } from "node:assert";
import type { Policy } from "../../limit/index.ts";
import { type Bench, nobody, refused } from "./bench.ts";

export function checkLimits(bench: Bench, { maxRequests, windowMs }: Policy): void {
  const { check, ask, collection, bare, has, callers, system, item, unknownId } = bench;
  const path = has("list") ? collection : item(unknownId);

  check("limit headers tell the truth down to 429, and after Retry-After a request passes", async () => {
    const numbers = async () => {
      const answer = await ask("GET", path);
      const header = (name: string) => answer.headers.get(name)!;
      const [limit, remaining, reset] = ["limit", "remaining", "reset"].map((name) =>
        Number(header(`x-ratelimit-${name}`)),
      );
      assert.match(header("ratelimit-policy"), new RegExp(`;q=${maxRequests};w=${windowMs / 1000}$`));
      assert.match(header("ratelimit"), new RegExp(`;r=${remaining};t=\\d+$`));
      assert.equal(reset! - Math.ceil(system.clock.nowMs() / 1000), Number(/t=(\d+)$/.exec(header("ratelimit"))![1]));
      return { answer, limit, remaining };
    };
    for (let left = maxRequests - 1; left >= 0; left--) {
      const { answer, limit, remaining } = await numbers();
      assert.deepEqual([answer.status === 429, limit, remaining], [false, maxRequests, left]);
    }
    const { answer, remaining } = await numbers();
    assert.deepEqual([refused(answer, 429, "RATE_LIMITED"), remaining], [[], 0]);
    const waitMs = Number(answer.headers.get("retry-after")) * 1000;
    assert.ok(waitMs > 0 && waitMs <= windowMs);
    await system.clock.advance(waitMs - 1000);
    refused((await numbers()).answer, 429);
    await system.clock.advance(1000);
    assert.notEqual((await numbers()).answer.status, 429);
  });

  check("each caller has a bucket; a refused token counts for the address; health is exempt", async () => {
    while ((await ask("GET", path)).status !== 429);
    assert.notEqual((await ask("GET", path, { as: nobody })).status, 429);
    if (callers.other !== undefined) assert.notEqual((await ask("GET", path, { as: callers.other })).status, 429);
    for (let count = 0; count < maxRequests; count++) await ask("GET", path, { as: "Bearer nonsense" });
    refused(await ask("GET", path, { as: nobody }), 429);
    for (const forwarded of ["x-forwarded-for", "x-real-ip", "forwarded", "cf-connecting-ip", "true-client-ip"]) {
      refused(await ask("GET", path, { as: nobody, headers: { [forwarded]: "203.0.113.9" } }), 429);
    }
    const health = await ask("GET", "/health", { as: nobody });
    assert.deepEqual([health.status, health.headers.get("x-ratelimit-limit")], [200, null]);
  });

  check("an origin on the list may read and is told what it may send; any other is told nothing", async () => {
    await system.clock.advance(windowMs);
    const good = { origin: "https://shop.example" };
    const preflight = { "access-control-request-method": "PATCH", "access-control-request-headers": "if-match" };
    const simple = await ask("GET", path, { headers: good });
    assert.equal(simple.headers.get("access-control-allow-origin"), good.origin);
    for (const name of ["ETag", "Link", "Location", "X-RateLimit-Remaining", "Retry-After"])
      assert.ok(simple.headers.get("access-control-expose-headers")!.includes(name), name);
    const asked = await ask("OPTIONS", `/v1${bare}`, { as: nobody, headers: { ...good, ...preflight } });
    assert.deepEqual([asked.status, asked.headers.get("access-control-allow-origin")], [204, good.origin]);
    assert.match(asked.headers.get("access-control-allow-headers")!, /If-Match/);
    for (const origin of [
      "https://evil.example",
      "null",
      "http://shop.example",
      "https://shop.example.evil",
      "https://a.shop.example",
    ]) {
      for (const answer of [
        await ask("GET", path, { headers: { origin } }),
        await ask("OPTIONS", `/v1${bare}`, { as: nobody, headers: { origin, ...preflight } }),
      ]) {
        assert.equal(answer.headers.get("access-control-allow-origin"), null);
        assert.match(answer.headers.get("vary")!, /\bOrigin\b/);
      }
      await system.clock.advance(windowMs / maxRequests);
    }
  });
}
