// The token bucket of bucket.ts as a script, which Redis or Valkey runs as one step: read, refill, take, write.
//
// The same whole units, in the same doubles: products stay below 2^53 (checkPolicy), and sums that do not are
// above the capacity anyway. Numbers are written with "%.0f", since Lua's own way keeps 14 digits only, and answered as
// text, since clients read large integers one digit off.
// The time is the store's (TIME), once for all processes, whatever their own clocks say. What follows from the
// numbers (when to come back) is worked out by `decisionOf`, once for both.
//
// A bucket that is full is as good as none, so its key ends at that moment, by the same clock.

/** The store's clock, in milliseconds. */
export const storeTimeMs = `(function()
  local time = redis.call("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000)
end)()`;

/**
 * KEYS[1] is the bucket; ARGV are maxRequests, windowMs and cost. Answers whether it was allowed (1 or 0), the units
 * left, and when. `nowMs` is the Lua expression that tells the time.
 */
export function takeScript(nowMs: string): string {
  return `
local maxRequests, windowMs, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local nowMs = ${nowMs}
local capacity, price = maxRequests * windowMs, cost * windowMs

local units = capacity
local stored = redis.call("GET", KEYS[1])
if stored then
  local before, atMs = string.match(stored, "^(%d+) (%d+)$")
  local elapsedMs = math.max(0, nowMs - tonumber(atMs))
  if elapsedMs < windowMs then
    units = math.min(capacity, tonumber(before) + elapsedMs * maxRequests)
  end
end

local allowed = 0
if units >= price then
  allowed = 1
  units = units - price
end

if units < capacity then
  local fullAtMs = nowMs + math.ceil((capacity - units) / maxRequests)
  redis.call("SET", KEYS[1], string.format("%.0f %.0f", units, nowMs), "PXAT", string.format("%.0f", fullAtMs))
elseif stored then
  redis.call("DEL", KEYS[1])
end
return { allowed, string.format("%.0f", units), string.format("%.0f", nowMs) }
`;
}
