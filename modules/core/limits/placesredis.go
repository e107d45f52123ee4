package limits

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/cache"
)

// atOnce is how many people's places are told in one round trip.
const atOnce = 200

// place is a call of the script about one person: most below 0 bounds nothing,
// and "renew" keeps the number that Redis knows.
func (r redis) place(h holder, person string, mine, most int, mode string) cache.Call {
	return cache.Call{
		Keys: []string{"tracker:p:" + h.kind + ":" + digest(person)},
		Args: []string{h.replica, text(int64(mine)), text(int64(most)), text(h.life.Milliseconds()), mode},
	}
}

// enter implements placer.
func (r redis) enter(ctx context.Context, h holder, person string, mine, most int) (bool, error) {
	answer, err := r.cache.Run(ctx, placeScript, r.place(h, person, mine, most, ""))
	return err == nil && answer[0][0] == 1, err
}

// put implements placer.
func (r redis) put(ctx context.Context, h holder, person string, mine int) error {
	_, err := r.cache.Run(ctx, placeScript, r.place(h, person, mine, -1, ""))
	return err
}

// renew implements placer.
func (r redis) renew(ctx context.Context, h holder) error {
	return r.each(ctx, h, func(person string, n int) cache.Call { return r.place(h, person, n, -1, "renew") })
}

// end implements placer.
func (r redis) end(ctx context.Context, h holder) error {
	return r.each(ctx, h, func(person string, _ int) cache.Call { return r.place(h, person, 0, -1, "") })
}

func (r redis) each(ctx context.Context, h holder, call func(person string, n int) cache.Call) error {
	var calls []cache.Call
	send := func() error {
		_, err := r.cache.Run(ctx, placeScript, calls...)
		calls = nil
		return err
	}
	for person, n := range h.all() {
		if calls = append(calls, call(person, n)); len(calls) == atOnce {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if len(calls) == 0 {
		return nil
	}
	return send()
}

// A person's places: a hash from replica to number and until when it counts. The
// key goes with the last replica that is heard of.
//
//nolint:dupword // Lua ends so
var placeScript = cache.NewScript(`
local mine, most, life = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local all, others = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #all, 2 do
  local n, till = string.match(all[i + 1], '(%d+) (%d+)')
  if all[i] == ARGV[1] then
    if ARGV[5] == 'renew' then mine = tonumber(n) end
  elseif tonumber(till) <= now then redis.call('HDEL', KEYS[1], all[i])
  else others = others + tonumber(n) end
end
if most >= 0 and others + mine > most then return {0} end
if mine == 0 then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %.0f', mine, now + life))
  redis.call('PEXPIRE', KEYS[1], life)
end
return {1}`)
