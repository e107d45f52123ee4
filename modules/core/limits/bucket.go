package limits

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Bound is how much of something one person may do.
type Bound struct {
	// Rate is how many a second in the long run; with 0 there is no bound.
	Rate float64
	// Burst is how many at once, at least 1.
	Burst int
}

// price is what a token costs: the microseconds in which it comes back.
func (b Bound) price() int64 { return max(int64(math.Round(1e6/b.Rate)), 1) }

// ask is for tokens of a person's bucket.
type ask struct {
	limit, person string
	// replica asks; what it gets beyond want is its own for a while.
	replica string
	// Amounts are microseconds of the bucket's refill.
	price, capacity int64
	want            int64
	// life is how long the replica may keep what it doesn't spend; 0 gives want
	// alone.
	life int64
	// clock is the time for tests; 0 is the store's own.
	clock int64
}

// grant is the answer: tokens, or how many microseconds to wait.
type grant struct{ tokens, wait int64 }

// store keeps buckets. All do the same, which one contract test proves.
type store interface {
	take(ctx context.Context, a ask) (grant, error)
}

// bucket is a person's tokens under a limit. It gives out no more than its
// capacity and what a time brings in that time, wherever and whenever it is
// spent: what a replica took ahead and may still spend is missing from what the
// bucket may hold. A replica that dies takes that with it until it expires, so
// replicas together never hold more than half.
type bucket struct {
	// credit was there at the time at.
	credit, at int64
	leases     []lease
}

// lease is what a replica may spend until then.
type lease struct {
	replica       string
	amount, until int64
}

// take is the reference that the other stores repeat in SQL and Lua.
func (b *bucket) take(a ask) grant {
	held := int64(0)
	for _, l := range b.leases {
		held += l.amount
	}
	// What comes to nothing is refilled from then on, not from before.
	for len(b.leases) > 0 && b.leases[0].until <= a.clock {
		b.refill(b.leases[0].until, a.capacity-held)
		held -= b.leases[0].amount
		b.leases = b.leases[1:]
	}
	b.refill(a.clock, a.capacity-held)
	for i, l := range b.leases {
		if l.replica == a.replica { // it has spent all, or gives it up
			held -= l.amount
			b.leases = append(b.leases[:i:i], b.leases[i+1:]...)
			break
		}
	}
	// A quarter of a second's worth at a time: near its limit, too, a person costs
	// no more than some questions a second.
	quarter := min(250_000, a.capacity/10)
	if b.credit < a.want*a.price {
		return grant{wait: max(a.want*a.price, quarter) - b.credit}
	}
	b.credit -= a.want * a.price
	// The less is left, the less is taken ahead: others may need it.
	extra := min(max(b.credit/4, quarter), a.capacity/10, a.capacity/2-held, b.credit) / a.price
	if extra < 1 || a.life < 1 {
		extra = 0
	} else {
		b.credit -= extra * a.price
		b.leases = append(b.leases, lease{a.replica, extra * a.price, b.at + a.life})
	}
	return grant{tokens: a.want + extra}
}

// refill brings the bucket to a time; a clock that goes back changes nothing.
func (b *bucket) refill(now, most int64) {
	b.credit = min(most, b.credit+max(now-b.at, 0))
	b.at = max(b.at, now)
}

// keptBuckets bounds how many people's buckets a process remembers, those used
// last.
const keptBuckets = 50_000

// memory keeps buckets in this process.
type memory struct {
	mu      sync.Mutex
	buckets *simplelru.LRU[key, *bucket]
}

// key names a person's bucket.
type key struct{ limit, person string }

func newMemory() *memory {
	buckets, _ := simplelru.NewLRU[key, *bucket](keptBuckets, nil) // the error is of a size below 1
	return &memory{buckets: buckets}
}

// take implements store. It never fails.
func (m *memory) take(_ context.Context, a ask) (grant, error) {
	if a.clock == 0 {
		a.clock = time.Now().UnixMicro()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	k := key{a.limit, a.person}
	b, ok := m.buckets.Get(k)
	if !ok {
		b = &bucket{credit: a.capacity}
		m.buckets.Add(k, b)
	}
	return b.take(a), nil
}
