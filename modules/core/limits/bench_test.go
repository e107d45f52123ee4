package limits

import (
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// BenchmarkTake is what a token costs: as requests come that stay below their
// limit, and when each asks the store.
func BenchmarkTake(b *testing.B) {
	for name, sharing := range map[string]func() Sharing{
		"alone":    func() Sharing { return Sharing{} },
		"postgres": func() Sharing { return Sharing{Timeout: 20 * time.Second, DB: postgrestest.DB(b)} },
		"redis":    func() Sharing { return Sharing{Cache: redisCache(b, cachetest.URL(b))} },
	} {
		b.Run(name, func(b *testing.B) {
			l, c := New(sharing()), newClock()
			l.clock = c.time
			generous := Bound{Rate: 50, Burst: 500}
			for b.Loop() {
				c.move(1e9 / 40) // just below
				if l.Take(b.Context(), Requests, "ada", generous) != 0 {
					b.Fatal("refused")
				}
			}
		})
		if name == "alone" {
			continue
		}
		b.Run(name+", asking", func(b *testing.B) {
			l := New(sharing())
			a := ask{limit: Requests, person: "ada", replica: "one", price: 1, capacity: 1e15, want: 1}
			for b.Loop() {
				if _, err := l.shared.take(b.Context(), a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
