import { deepEqual, equal, throws } from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { createCors } from "./cors.ts";

const shop = "https://shop.example";

function request(headers: Record<string, string>, method = "GET"): IncomingMessage {
  return { method, headers } as unknown as IncomingMessage;
}

test("G11 an origin on the list is echoed and may read the headers of the API", () => {
  const headers = createCors({ origins: [shop] }).headers(request({ origin: shop }));
  equal(headers["access-control-allow-origin"], shop);
  equal(headers["access-control-expose-headers"]?.includes("ETag"), true);
  equal(headers["access-control-allow-credentials"], undefined);
  equal(headers["vary"], "Origin");
});

test("G11 another origin gets no permission, and the answer still varies by origin", () => {
  const cors = createCors({ origins: [shop], credentials: true });
  for (const origin of [
    "https://evil.example",
    "null",
    "https://shop.example.evil",
    "http://shop.example",
    `${shop}:8443`,
    "*",
    `${shop}/`,
  ]) {
    deepEqual(cors.headers(request({ origin })), { vary: "Origin" }, origin);
  }
  deepEqual(cors.headers(request({})), { vary: "Origin" });
});

test("a preflight is answered with the methods of the route", () => {
  const cors = createCors({ origins: [shop], credentials: true });
  const asked = { origin: shop, "access-control-request-method": "PATCH" };
  const headers = cors.preflight(request(asked, "OPTIONS"), ["GET", "PATCH"]);
  equal(headers?.["access-control-allow-methods"], "GET, PATCH");
  equal(headers?.["access-control-allow-credentials"], "true");
  equal(headers?.["access-control-max-age"], "600");
  equal(
    cors.preflight(request({ ...asked, origin: "https://evil.example" }, "OPTIONS"), [])?.[
      "access-control-allow-origin"
    ],
    undefined,
  );
  equal(cors.preflight(request({ origin: shop }, "OPTIONS"), []), undefined);
  equal(cors.preflight(request(asked, "GET"), []), undefined);
});

test("G11 without a list nothing is sent", () => {
  const cors = createCors({ origins: [] });
  deepEqual(cors.headers(request({ origin: shop })), {});
});

test("what is no origin is reported at start", () => {
  for (const origin of [
    "*",
    "null",
    "shop.example",
    `${shop}/`,
    "https://Shop.example",
    "file:///x",
    "https://a.b:443",
  ]) {
    throws(() => createCors({ origins: [origin] }), /is not an origin/, origin);
  }
});
