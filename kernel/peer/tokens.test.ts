import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { createManualClock } from "../base/index.ts";
import { createPeerTokens } from "./tokens.ts";

const clock = createManualClock();
const secret = new Uint8Array(32).fill(7);
const tokens = createPeerTokens({ secret, clock });
const claims = { use: "GET /v1/users", address: "198.51.100.7" };

test("what one process says another reads, for the service and the use it was said for", () => {
  const { use, address } = tokens.read(tokens.sign("identity", claims), "identity", "GET /v1/users");
  deepEqual({ use, address }, claims);
});

test("a token for another service or use, of another secret, or with any character changed is refused", () => {
  const token = tokens.sign("identity", claims);
  throws(() => tokens.read(token, "orders", "GET /v1/users"), /for identity/);
  throws(() => tokens.read(token, "identity", "DELETE /v1/users"), /for GET \/v1\/users/);
  const others = createPeerTokens({ secret: new Uint8Array(32).fill(8), clock });
  throws(() => others.read(token, "identity", "GET /v1/users"), /of no peer/);
  for (let index = 0; index < token.length; index++) {
    const changed = `${token.slice(0, index)}${token[index] === "A" ? "B" : "A"}${token.slice(index + 1)}`;
    // The last character holds bits that mean nothing.
    if (index < token.length - 1) throws(() => tokens.read(changed, "identity", "GET /v1/users"), String(index));
  }
});

test("what is no token is refused, whatever it is", () => {
  for (const text of [
    undefined,
    "",
    ".",
    "..",
    "a.b",
    "a.b.c",
    "a".repeat(100_000),
    `${tokens.sign("identity", claims)}.x`,
  ])
    throws(() => tokens.read(text, "identity", "GET /v1/users"));
});

test("a token lives for a minute, on clocks that differ either way", async () => {
  const token = tokens.sign("identity", claims);
  const read = (at: { nowMs(): number }) =>
    createPeerTokens({ secret, clock: { ...clock, ...at } }).read(token, "identity", "GET /v1/users").use;
  const now = clock.nowMs();
  for (const awayMs of [-60_000, 0, 60_000]) equal(read({ nowMs: () => now + awayMs }), "GET /v1/users");
  for (const awayMs of [-60_001, 60_001]) throws(() => read({ nowMs: () => now + awayMs }), /not of this minute/);
});
