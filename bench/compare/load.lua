-- Sends the requests of a file, in turn; prints what came of it. Where a request has a key for idempotency, each
-- sending of it gets another.

local marker = "KEY-OF-THIS-REQUEST"
local raw = {}
local position = 0
local sent = 0
local run = ""

init = function(args)
  run = args[2]
  local pause = tonumber(args[3])
  -- Without a pause there must be no such function, or wrk waits for a timer each time.
  if pause > 0 then
    delay = function() return math.floor(-math.log(1 - math.random()) * pause + 0.5) end
  end
  local requests = dofile(args[1])
  for i, r in ipairs(requests) do
    local text = wrk.format(r.method, r.path, r.headers, r.body)
    local from, to = string.find(text, marker, 1, true)
    raw[i] = from and { string.sub(text, 1, from - 1), string.sub(text, to + 1) } or text
  end
end

request = function()
  position = position % #raw + 1
  local one = raw[position]
  if type(one) == "string" then return one end
  sent = sent + 1
  return one[1] .. run .. "-" .. sent .. one[2]
end

done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%f,"p50Ms":%f,"p99Ms":%f,"latencyStepMs":0.001,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
