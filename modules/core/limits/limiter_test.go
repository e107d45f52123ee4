package limits

import (
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

var bound = Bound{Rate: 20, Burst: 100}

// let counts how many of n are let through.
func let(t *testing.T, l *Limiter, person string, n int) (passed int) {
	t.Helper()
	for range n {
		if l.Take(t.Context(), "requests", person, bound) == 0 {
			passed++
		}
	}
	return passed
}

func TestTwoReplicasShareOneLimit(t *testing.T) {
	onEach(t, func(t *testing.T, replica func(*clock) *Limiter) {
		t.Run("asked by turns", func(t *testing.T) { byTurns(t, replica) })
		t.Run("asked at the same time", func(t *testing.T) { atTheSameTime(t, replica) })
		t.Run("by the store's own clock", func(t *testing.T) { byItsOwnClock(t, replica) })
	})
}

func byTurns(t *testing.T, replica func(*clock) *Limiter) {
	t.Helper()
	c := newClock()
	one, two := replica(c), replica(c)
	passed := 0
	for range 30 { // both in turn, until both refuse
		passed += let(t, one, "ada", 5) + let(t, two, "ada", 5)
	}
	if passed != bound.Burst {
		t.Errorf("at once %d were let through, want the burst, %d", passed, bound.Burst)
	}
	wait := one.Take(t.Context(), "requests", "ada", bound)
	if wait <= 0 || wait > time.Second {
		t.Errorf("the wait is %s", wait)
	}
	if got := let(t, two, "eve", 1); got != 1 {
		t.Error("another person is refused")
	}
	if wait := one.Take(t.Context(), "searches", "ada", bound); wait != 0 {
		t.Error("another limit of the same person is used up")
	}
	c.move(time.Second)
	if got := let(t, one, "ada", 30) + let(t, two, "ada", 30); got != 20 {
		t.Errorf("a second later %d more were let through, want 20", got)
	}
	c.move(time.Hour)
	if got := let(t, one, "ada", 300) + let(t, two, "ada", 300); got != bound.Burst {
		t.Errorf("after an hour %d were let through, want the burst, %d", got, bound.Burst)
	}
}

func atTheSameTime(t *testing.T, replica func(*clock) *Limiter) {
	t.Helper()
	c := newClock()
	var all sync.WaitGroup
	var passed atomic.Int64
	for range 2 {
		l := replica(c)
		for range 8 {
			all.Go(func() {
				for range 40 {
					if l.Take(t.Context(), "requests", "joe", bound) == 0 {
						passed.Add(1)
					}
				}
			})
		}
	}
	all.Wait()
	if got := passed.Load(); got != int64(bound.Burst) {
		t.Errorf("%d were let through, want the burst, %d", got, bound.Burst)
	}
}

// No token comes back while the test runs, so it needs no clock.
func byItsOwnClock(t *testing.T, replica func(*clock) *Limiter) {
	t.Helper()
	slow := Bound{Rate: 1.0 / 3600, Burst: 10}
	passed := 0
	for _, l := range []*Limiter{replica(nil), replica(nil)} {
		for range 20 {
			wait := l.Take(t.Context(), "requests", "kim", slow)
			if wait == 0 {
				passed++
			} else if wait > 3601*time.Second {
				t.Errorf("the wait is %s", wait)
			}
		}
	}
	if passed < 9 || passed > 10 { // the first replica may keep one that it took ahead
		t.Errorf("%d were let through, want 10", passed)
	}
}

func TestALimitCostsFewQuestionsToTheStore(t *testing.T) {
	c := newClock()
	asked := &counted{store: newMemory()}
	l := New(Sharing{Logger: slog.New(slog.DiscardHandler)})
	l.shared, l.clock = asked, c.time
	generous := Bound{Rate: 50, Burst: 500}

	for range 360 { // an hour, one in ten seconds
		c.move(10 * time.Second)
		if l.Take(t.Context(), "requests", "slow", generous) != 0 {
			t.Fatal("refused")
		}
	}
	if asked.asks > 9 {
		t.Errorf("360 requests in an hour cost %d questions", asked.asks)
	}
	asked.asks = 0
	for range 2000 { // a hundred seconds
		c.move(50 * time.Millisecond)
		if l.Take(t.Context(), "requests", "busy", generous) != 0 {
			t.Fatal("refused")
		}
	}
	if asked.asks > 60 {
		t.Errorf("2000 requests below the rate cost %d questions", asked.asks)
	}
	asked.asks = 0
	passed := 0
	for range 100_000 { // ten seconds, two hundred times too fast
		c.move(100 * time.Microsecond)
		if l.Take(t.Context(), "requests", "flood", generous) == 0 {
			passed++
		}
	}
	if passed < 990 || passed > 1000 {
		t.Errorf("of a flood %d were let through, about 1000 should be", passed)
	}
	if asked.asks > 150 {
		t.Errorf("a flood of 100,000 cost %d questions", asked.asks)
	}
}

func TestWithoutARateThereIsNoBound(t *testing.T) {
	l := New(Sharing{})
	for range 1000 {
		if wait := l.Take(t.Context(), "requests", "ada", Bound{Burst: 1}); wait != 0 {
			t.Fatal("refused")
		}
	}
}

// A Redis that dies neither locks people out nor lets them loose, and when it is
// back, or was flushed, the replicas share again.
func TestWhileRedisIsDeadEachReplicaHoldsTheBoundByItself(t *testing.T) {
	server := cachetest.Own(t)
	c := newClock()
	registry := prometheus.NewRegistry()
	one := New(Sharing{Cache: redisCache(t, server.URL()), Logger: slog.New(slog.DiscardHandler), Metrics: registry})
	two := New(Sharing{Cache: redisCache(t, server.URL()), Logger: slog.New(slog.DiscardHandler)})
	one.clock, two.clock = c.time, c.time
	if got := let(t, one, "ada", 150) + let(t, two, "ada", 150); got != bound.Burst {
		t.Fatalf("%d were let through, want %d", got, bound.Burst)
	}
	server.Kill()
	c.move(time.Second) // past what was heard last
	for name, l := range map[string]*Limiter{"one": one, "two": two} {
		if got := let(t, l, "ada", 500); got != bound.Burst {
			t.Errorf("while Redis is dead, %s lets %d through, want its own burst, %d", name, got, bound.Burst)
		}
		if got := let(t, l, "eve", 1); got != 1 {
			t.Errorf("while Redis is dead, %s refuses who asked for nothing yet", name)
		}
	}
	if !strings.Contains(gathered(t, registry), "tracker_limits_alone 1\n") {
		t.Error("no metric says that the replica counts by itself")
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both share again", func() bool {
		c.move(2 * time.Second) // leave it alone no longer
		one.Take(t.Context(), "requests", "probe", bound)
		two.Take(t.Context(), "requests", "probe", bound)
		return one.away.Load() == 0 && two.away.Load() == 0
	})
	if got := let(t, one, "joe", 150) + let(t, two, "joe", 150); got != bound.Burst {
		t.Errorf("after Redis came back %d were let through, want %d", got, bound.Burst)
	}
}

func TestADatabaseThatIsAwayHoldsNobodyUp(t *testing.T) {
	db, err := postgres.Open(t.Context(), postgres.Config{URL: postgrestest.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	l := New(Sharing{Timeout: 20 * time.Second, DB: db, Logger: slog.New(slog.DiscardHandler)})
	db.Close()
	c := newClock()
	l.clock = c.time
	if got := let(t, l, "ada", 500); got != bound.Burst {
		t.Errorf("%d were let through, want the burst, %d", got, bound.Burst)
	}
	if !l.Places("connections", 2).Enter(t.Context(), "ada") {
		t.Error("a connection is refused because the database is away")
	}
}

func TestWhatIsRefusedIsCountedByLimit(t *testing.T) {
	registry := prometheus.NewRegistry()
	l := New(Sharing{Metrics: registry})
	l.clock = newClock().time
	let(t, l, "ada", bound.Burst+3)
	if got := gathered(t, registry); got != "tracker_limits_alone 0\ntracker_limits_refused_total 3\n" {
		t.Errorf("the metrics are %s", got)
	}
}

func TestInRedisStandsNoNameAndNothingForEver(t *testing.T) {
	url := cachetest.URL(t)
	l := New(Sharing{Cache: redisCache(t, url), Logger: slog.New(slog.DiscardHandler)})
	let(t, l, "ada-lovelace", 1)
	if !l.Places("connections", 2).Enter(t.Context(), "ada-lovelace") {
		t.Fatal("refused")
	}
	keys := cachetest.Keys(t, url)
	if len(keys) != 2 {
		t.Errorf("keys are %v", keys)
	}
	for _, k := range keys {
		if strings.Contains(k, "lovelace") {
			t.Errorf("the key %s names a person", k)
		}
	}
	lives := lifetimes(t, url, keys)
	for i, life := range lives {
		if life <= 0 || life > 20*time.Minute {
			t.Errorf("the key %s lives for %s", keys[i], life)
		}
	}
}

func TestFullBucketsAndDeadReplicasAreForgotten(t *testing.T) {
	db := postgrestest.DB(t)
	l := New(Sharing{Timeout: 20 * time.Second, DB: db, Logger: slog.New(slog.DiscardHandler)})
	let(t, l, "ada", 1)
	let(t, l, "eve", 1)
	places := l.Places("connections", 2)
	if !places.Enter(t.Context(), "ada") {
		t.Fatal("refused")
	}
	rows := func() (n [3]int) {
		err := db.Pool().QueryRow(t.Context(), `SELECT (SELECT count(*) FROM core.limits), (SELECT count(*) FROM core.limit_replicas), (SELECT count(*) FROM core.limit_places)`).Scan(&n[0], &n[1], &n[2])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := l.database.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := rows(); got != [3]int{2, 1, 1} {
		t.Errorf("rows are %v", got)
	}
	if _, err := db.Pool().Exec(t.Context(), `UPDATE core.limits SET expires_at = now() - interval '1s' WHERE subject_id = 'ada'`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Pool().Exec(t.Context(), `UPDATE core.limit_replicas SET alive_until = now() - interval '1s'`); err != nil {
		t.Fatal(err)
	}
	if err := l.database.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := rows(); got != [3]int{1, 0, 0} {
		t.Errorf("rows left are %v", got)
	}
}
