package limits

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
	"github.com/goals-tracker/tracker/modules/core/config"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest/pgbouncer"
)

// clock stands still until a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_800_000_000, 0)} }

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func redisCache(t testing.TB, url string) *cache.Cache {
	t.Helper()
	// A busy machine may take longer than a server should wait.
	c, err := cache.New(cache.Config{URL: config.Secret(url), Timeout: 20 * time.Second}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// onEach runs a test of the contract with what replicas may share: replica makes
// one more of them.
func onEach(t *testing.T, test func(t *testing.T, replica func(*clock) *Limiter)) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	by := func(with func(t *testing.T) Sharing) func(*testing.T) {
		return func(t *testing.T) {
			sharing := with(t)
			sharing.Logger = quiet
			test(t, func(c *clock) *Limiter {
				l := New(sharing)
				if c != nil {
					l.clock = c.time
				}
				return l
			})
		}
	}
	t.Run("memory", func(t *testing.T) {
		shared := newMemory()
		test(t, func(c *clock) *Limiter {
			l := New(Sharing{Logger: quiet})
			l.shared = shared
			if c != nil {
				l.clock = c.time
			}
			return l
		})
	})
	t.Run("postgres", by(func(t *testing.T) Sharing { return Sharing{Timeout: 20 * time.Second, DB: postgrestest.DB(t)} }))
	t.Run("postgres behind a pooler", by(func(t *testing.T) Sharing {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: pgbouncer.Start(t, postgrestest.URL(t), 4), Pooler: postgres.TransactionPooler, MaxConns: 4})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(db.Close)
		return Sharing{Timeout: 20 * time.Second, DB: db}
	}))
	t.Run("redis", by(func(t *testing.T) Sharing { return Sharing{Cache: redisCache(t, cachetest.URL(t))} }))
}

// counted counts what a store is asked.
type counted struct {
	store
	asks int
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("it never came true: %s", what)
}
