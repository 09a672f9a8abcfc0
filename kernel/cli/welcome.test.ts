import { equal, match } from "node:assert/strict";
import { test } from "node:test";
import { demoWarning, visibleUrl } from "./welcome.ts";

test("S10 who lets other machines reach the demo logins is warned, and nobody else", () => {
  const demo = ["admin@example.com, password ashlar-demo"];
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "shop.example", "fe80::1"]) {
    const warning = demoWarning(host, demo)!;
    match(warning, /NODE_ENV=production/);
    equal(warning.includes("ashlar-demo"), false);
    equal(demoWarning(host, []), undefined, "there is nothing to find");
  }
  for (const host of ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"]) equal(demoWarning(host, demo), undefined);
});

test("the address shown is one that a browser on this machine understands", () => {
  for (const url of ["http://127.0.0.1:3000", "http://0.0.0.0:3000", "http://[::]:3000", "http://[::1]:3000"])
    equal(visibleUrl(url), "http://localhost:3000");
  equal(visibleUrl("http://192.0.2.1:3000"), "http://192.0.2.1:3000");
});
