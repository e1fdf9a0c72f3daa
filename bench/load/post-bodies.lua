-- wrk script: sends the preformatted requests of the file named by REQUEST_FILE in turn, and prints one line that
-- bench/load/wrk.ts reads. The file format is described in http-requests.ts.
local requests = {}

function init(_)
  local file = assert(io.open(os.getenv("REQUEST_FILE"), "rb"))
  local bytes = file:read("*a")
  file:close()
  local at = 1
  while at + 3 <= #bytes do
    local b0, b1, b2, b3 = string.byte(bytes, at, at + 3)
    local length = b0 + b1 * 256 + b2 * 65536 + b3 * 16777216
    requests[#requests + 1] = string.sub(bytes, at + 4, at + 3 + length)
    at = at + 4 + length
  end
end

local turn = 0

function request()
  turn = turn + 1
  if turn > #requests then turn = 1 end
  return requests[turn]
end

function done(summary, latency, _)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status
    + summary.errors.timeout
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration, failed,
    latency:percentile(50), latency:percentile(99)))
end
