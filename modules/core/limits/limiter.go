// Package limits bounds what one person may do, for all replicas together: how
// much in a time (Limiter, token buckets), and how much at a time (Places).
//
// Replicas share through Redis when there is one, else through PostgreSQL. They
// take tokens ahead, a tenth of the burst at most, so that a request costs
// neither a round trip nor a write, and still all of them together let no more
// through than the bound says. While the store is away each replica holds people
// to the same bounds by itself: nobody is locked out, nobody is let loose.
//
// It knows people and names of limits; what a call costs is for who asks.
package limits

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

const (
	// leaseLife is how long a replica may keep tokens that it took ahead: one that
	// asks little of a person's bucket asks the store this often.
	leaseLife = 10 * time.Minute
	// retryAfter is how long a store that failed is left alone.
	retryAfter = time.Second
	// tidyEvery is how often buckets that are full again are forgotten.
	tidyEvery = time.Minute
)

// Sharing says through what replicas share.
type Sharing struct {
	// Cache's Redis is taken where one is configured.
	Cache *cache.Cache
	// DB is taken where none is. With neither a process counts by itself.
	DB *postgres.DB
	// Timeout is how long the database may take to answer; Redis has its own.
	// Defaults to 1 s.
	Timeout time.Duration
	// Metrics count what was refused. Defaults to none.
	Metrics prometheus.Registerer
	// Logger defaults to slog.Default().
	Logger *slog.Logger
}

// Limiter is safe for use by many.
type Limiter struct {
	shared   store  // nil where this process counts by itself
	places   placer // likewise
	database *database
	alone    *memory
	replica  string
	logger   *slog.Logger
	clock    func() time.Time // for tests; nil is the real one, and each store's own
	away     atomic.Int64     // until when the store is left alone, in Unix nanoseconds
	metrics  *metrics

	mu     sync.Mutex
	purses *simplelru.LRU[key, *purse]
}

// purse is what this replica has of a person's tokens.
type purse struct {
	mu    sync.Mutex
	left  int64
	until time.Time
	// empty is until when there are none.
	empty time.Time
}

// New makes a limiter. Run it where it shares through PostgreSQL.
func New(with Sharing) *Limiter {
	if with.Logger == nil {
		with.Logger = slog.Default()
	}
	l := &Limiter{alone: newMemory(), replica: uuid.NewString(), logger: with.Logger.With("part", "limits")}
	l.purses, _ = simplelru.NewLRU[key, *purse](keptBuckets, nil) // the error is of a size below 1
	switch {
	case with.Cache.Configured():
		l.shared, l.places = redis{with.Cache}, redis{with.Cache}
	case with.DB != nil:
		l.database = newDatabase(with.DB, with.Timeout)
		l.shared, l.places = l.database, l.database
	}
	l.metrics = newMetrics(with.Metrics, l)
	return l
}

// Run forgets what is needed no longer until ctx ends.
func (l *Limiter) Run(ctx context.Context) {
	if l.database == nil {
		return // Redis forgets by itself
	}
	every := time.NewTicker(tidyEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			if err := l.database.tidy(ctx); err != nil && ctx.Err() == nil {
				l.logger.Warn("old limits stay for now", "error", err)
			}
		}
	}
}

// Take takes one of what a limit gives a person. When there is none left it says
// how long to wait for the next, else 0.
func (l *Limiter) Take(ctx context.Context, limit, person string, b Bound) time.Duration {
	wait := l.take(ctx, limit, person, b)
	if wait > 0 {
		l.metrics.refused.WithLabelValues(limit).Inc()
	}
	return wait
}

// Wait takes one as soon as there is one; it gives up when done is closed.
func (l *Limiter) Wait(ctx context.Context, done <-chan struct{}, limit, person string, b Bound) {
	for wait := l.Take(ctx, limit, person, b); wait > 0; wait = l.take(ctx, limit, person, b) {
		select {
		case <-time.After(wait):
		case <-done:
			return
		}
	}
}

func (l *Limiter) take(ctx context.Context, limit, person string, b Bound) time.Duration {
	if b.Rate <= 0 {
		return 0
	}
	a := ask{limit: limit, person: person, replica: l.replica, price: b.price(), want: 1, life: leaseLife.Microseconds()}
	a.capacity = max(int64(b.Burst), 1) * a.price
	if l.shared == nil {
		return l.byItself(ctx, a)
	}
	p := l.purse(key{limit, person})
	p.mu.Lock() // equal questions at the same time are asked once
	defer p.mu.Unlock()
	now := l.now()
	switch {
	case p.left > 0 && now.Before(p.until):
		p.left--
		return 0
	case now.Before(p.empty):
		return p.empty.Sub(now)
	case now.UnixNano() < l.away.Load():
		return l.byItself(ctx, a)
	}
	a.clock = l.clocked()
	g, err := l.shared.take(ctx, a)
	l.heard(err)
	if err != nil {
		return l.byItself(ctx, a)
	}
	if g.tokens == 0 {
		wait := time.Duration(g.wait) * time.Microsecond
		p.left, p.empty = 0, now.Add(wait)
		return wait
	}
	// From before the question: here it ends no later than in the store.
	p.left, p.until = g.tokens-a.want, now.Add(leaseLife)
	return 0
}

// byItself takes from this process's own bucket.
func (l *Limiter) byItself(ctx context.Context, a ask) time.Duration {
	a.life, a.clock = 0, l.now().UnixMicro()
	g, _ := l.alone.take(ctx, a) // it never fails
	return time.Duration(g.wait) * time.Microsecond
}

// heard notes whether the store answers.
func (l *Limiter) heard(err error) {
	if err != nil {
		if l.away.Swap(l.now().Add(retryAfter).UnixNano()) == 0 {
			l.logger.Warn("limits are not shared for now, each replica counts by itself", "error", err)
		}
		return
	}
	if l.away.Load() != 0 && l.away.Swap(0) != 0 {
		l.logger.Info("limits are shared again")
	}
}

func (l *Limiter) purse(k key) *purse {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.purses.Get(k)
	if !ok {
		p = &purse{}
		l.purses.Add(k, p)
	}
	return p
}

func (l *Limiter) now() time.Time {
	if l.clock != nil {
		return l.clock()
	}
	return time.Now()
}

// clocked is the time for a store; 0 is its own.
func (l *Limiter) clocked() int64 {
	if l.clock != nil {
		return l.clock().UnixMicro()
	}
	return 0
}
