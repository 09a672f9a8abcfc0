// The shared store in Redis or Valkey. Each question is one script, so that two processes cannot come in between, and
// every time is counted by the store itself: it is told how long, never until when.

import { hash } from "node:crypto";
import type { Random } from "../base/index.ts";
import { createScript, type Redis } from "../redis/index.ts";
import type { Found, Kept, SharedStore } from "./shared-store.ts";

/** A load takes milliseconds; a process that dies during one holds up the others for this long at most. */
const leaseMs = 2_000;

// A value is `<below> <staleMs>`, a line end, and `+` with JSON or `-` for nothing.
const find = createScript(`
  local value = redis.call("GET", KEYS[1])
  if value then
    local below, stale = string.match(value, "^(%d+) (%d+)\\n")
    local left = redis.call("PTTL", KEYS[1]) - tonumber(stale)
    if tonumber(below) >= tonumber(ARGV[1]) and left > 0 then return { value, left } end
  end
  if redis.call("SET", KEYS[2], ARGV[2], "NX", "PX", ARGV[3]) then return { 1 } end
  return { 0 }
`);

const keep = createScript(`
  local value = redis.call("GET", KEYS[1])
  if not value or tonumber(string.match(value, "^%d+")) <= tonumber(ARGV[1]) then
    redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
  end
  if redis.call("GET", KEYS[2]) == ARGV[4] then redis.call("DEL", KEYS[2]) end
`);

const giveUp = createScript(`if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end`);

/** `app` keeps apart what else lives in the same store. */
export function createRedisStore({ redis, app, random }: { redis: Redis; app: string; random: Random }): SharedStore {
  return {
    async find(key, below) {
      const lease = Buffer.from(random.bytes(12)).toString("base64url");
      const answer = await redis.ask((client) => find(client, keysOf(app, key), [below, lease, leaseMs]));
      return foundOf(answer as [string | number, number?], lease);
    },
    async keep(key, kept, { freshMs, staleMs }, lease) {
      const values = [kept.below, textOf(kept, staleMs), Math.max(1, Math.ceil(freshMs + staleMs)), lease ?? ""];
      await redis.ask((client) => keep(client, keysOf(app, key), values));
    },
    async giveUp(key, lease) {
      await redis.ask((client) => giveUp(client, [keysOf(app, key)[1]], [lease]));
    },
  };
}

/** In braces, so that a cluster has both in one place; hashed, since what is asked for may hold anything. */
function keysOf(app: string, key: string): [value: string, lease: string] {
  const name = `ashlar:cache:{${hash("sha256", `${app}\n${key}`, "base64url")}}`;
  return [name, `${name}:lease`];
}

function textOf({ json, below }: Kept, staleMs: number): string {
  return `${below} ${Math.ceil(staleMs)}\n${json === undefined ? "-" : `+${json}`}`;
}

function foundOf([first, freshForMs]: [string | number, number?], lease: string): Found {
  if (typeof first === "number") return first === 1 ? { state: "yours", lease } : { state: "leased" };
  const [head, body] = [first.slice(0, first.indexOf("\n")), first.slice(first.indexOf("\n") + 1)];
  const json = body.startsWith("+") ? body.slice(1) : undefined;
  return { state: "kept", kept: { json, below: Number(head.split(" ", 1)[0]) }, freshForMs: freshForMs! };
}
