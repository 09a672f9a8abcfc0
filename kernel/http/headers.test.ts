import { equal } from "node:assert/strict";
import { test } from "node:test";
import { headerName } from "./headers.ts";

test("header names are written as the documentation writes them", () => {
  equal(headerName("etag"), "ETag");
  equal(headerName("x-ratelimit-limit"), "X-RateLimit-Limit");
  equal(headerName("cache-control"), "Cache-Control");
  equal(headerName("www-authenticate"), "WWW-Authenticate");
});
