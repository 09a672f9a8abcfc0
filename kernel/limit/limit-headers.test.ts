import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { take } from "./bucket.ts";
import { limitHeaders } from "./limit-headers.ts";
import { parseLimit } from "./parse-limit.ts";

const nowMs = Date.UTC(2026, 0, 1);

test("all headers come from the same numbers", () => {
  const { decision } = take(undefined, { maxRequests: 100, windowMs: 60_000 }, nowMs, 58);
  deepEqual(limitHeaders([{ name: "default", decision }]), {
    "x-ratelimit-limit": "100",
    "x-ratelimit-remaining": "42",
    "x-ratelimit-reset": String(nowMs / 1000 + 35),
    "ratelimit-policy": '"default";q=100;w=60',
    ratelimit: '"default";r=42;t=35',
  });
});

test("G14 a refusal has a Retry-After in whole seconds after which the request passes", () => {
  const policy = { maxRequests: 7, windowMs: 60_000 };
  const { state } = take(undefined, policy, nowMs, 7);
  const { decision } = take(state, policy, nowMs);
  const seconds = Number(limitHeaders([{ name: "auth", decision }])["retry-after"]);
  equal(seconds, 9);
  equal(take(state, policy, nowMs + seconds * 1000).decision.allowed, true);
});

test("of several limits the one that binds is told, and the draft's fields list them all", () => {
  const loose = take(undefined, { maxRequests: 100, windowMs: 60_000 }, nowMs).decision;
  const strict = { maxRequests: 1, windowMs: 2_000 };
  const refused = take(take(undefined, strict, nowMs).state, strict, nowMs).decision;
  const headers = limitHeaders([
    { name: "default", decision: loose },
    { name: "auth", decision: refused },
  ]);
  equal(headers["x-ratelimit-limit"], "1");
  equal(headers["retry-after"], "2");
  equal(headers["ratelimit-policy"], '"default";q=100;w=60, "auth";q=1;w=2');
  deepEqual(limitHeaders([]), {});
});

test("a setting is read as it is written, and nothing else is", () => {
  deepEqual(parseLimit("100/60s"), { maxRequests: 100, windowMs: 60_000 });
  deepEqual(parseLimit("5/250ms"), { maxRequests: 5, windowMs: 250 });
  deepEqual(parseLimit("5/1m per user"), { maxRequests: 5, windowMs: 60_000, per: "user" });
  deepEqual(parseLimit("5/1m per address"), { maxRequests: 5, windowMs: 60_000, per: "address" });
  equal(parseLimit("off"), "off");
  for (const text of [
    "",
    "100",
    "100/",
    "/60s",
    "0/60s",
    "10/0s",
    "-1/60s",
    "1.5/60s",
    "100 / 60s",
    "100/60",
    "100/60s ",
    "OFF",
    "5/1m per account",
    "5/1m per user ",
    "off per user",
    "999999999/999999999d",
  ])
    equal(parseLimit(text), undefined, text);
});
