package limits

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/goals-tracker/tracker/modules/core/cache"
)

// redis keeps buckets in the cache's Redis: "tracker:l:<limit>:<digest of the
// person>", gone a minute after the bucket is full again.
type redis struct{ cache *cache.Cache }

// take implements store.
func (r redis) take(ctx context.Context, a ask) (grant, error) {
	answer, err := r.cache.Run(ctx, takeTokens, cache.Call{
		Keys: []string{"tracker:l:" + a.limit + ":" + digest(a.person)},
		Args: []string{a.replica, text(a.price), text(a.capacity), text(a.want), text(a.life), text(a.clock)},
	})
	if err != nil {
		return grant{}, err
	}
	return grant{tokens: answer[0][0], wait: answer[0][1]}, nil
}

// digest stands for a person in Redis.
func digest(person string) string {
	sum := sha256.Sum256([]byte("tracker.limits\x00" + person))
	return hex.EncodeToString(sum[:16])
}

func text(n int64) string { return strconv.FormatInt(n, 10) }

// takeTokens is bucket.take. Microseconds since 1970 fit into Lua's numbers, and
// cmsgpack, unlike cjson, keeps all of their digits.
//
//nolint:dupword // Lua ends so
var takeTokens = cache.NewScript(`
local price, capacity, want, life, now = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if now == 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local credit, at, leases = capacity, 0, {}
local kept = redis.call('GET', KEYS[1])
if kept then credit, at, leases = unpack(cmsgpack.unpack(kept)) end
local held, left = 0, {}
for _, l in ipairs(leases) do held = held + l[2] end
local function refill(time)
  credit = math.min(capacity - held, credit + math.max(time - at, 0))
  at = math.max(at, time)
end
for i, l in ipairs(leases) do
  if #left > 0 or l[3] > now then left[#left + 1] = l
  else
    refill(l[3])
    held = held - l[2]
  end
end
refill(now)
for i, l in ipairs(left) do
  if l[1] == ARGV[1] then
    held = held - l[2]
    table.remove(left, i)
    break
  end
end
local quarter, granted, wait = math.min(250000, math.floor(capacity / 10)), 0, 0
if credit < want * price then
  wait = math.max(want * price, quarter) - credit
else
  credit = credit - want * price
  local extra = math.min(math.max(math.floor(credit / 4), quarter), math.floor(capacity / 10), math.floor(capacity / 2) - held, credit)
  extra = math.floor(extra / price)
  if extra < 1 or life < 1 then
    extra = 0
  else
    credit = credit - extra * price
    left[#left + 1] = {ARGV[1], extra * price, at + life}
  end
  granted = want + extra
end
redis.call('SET', KEYS[1], cmsgpack.pack({credit, at, left}), 'PX', math.ceil((capacity + life) / 1000) + 60000)
return {granted, wait}`)
