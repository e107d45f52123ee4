package limits

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// onBothPlacers runs a test of the contract with what replicas may share.
func onBothPlacers(t *testing.T, test func(t *testing.T, replica func() *Places)) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	t.Run("postgres", func(t *testing.T) {
		db := postgrestest.DB(t)
		test(t, func() *Places {
			return New(Sharing{Timeout: 20 * time.Second, DB: db, Logger: quiet}).Places("connections", 4)
		})
	})
	t.Run("redis", func(t *testing.T) {
		c := redisCache(t, cachetest.URL(t))
		test(t, func() *Places { return New(Sharing{Cache: c, Logger: quiet}).Places("connections", 4) })
	})
}

func enter(t *testing.T, p *Places, person string, n int) (in int) {
	t.Helper()
	for range n {
		if p.Enter(t.Context(), person) {
			in++
		}
	}
	return in
}

// run runs places as a replica does, until the test or stop ends it.
func run(t *testing.T, p *Places) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { p.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); done.Wait() })
	t.Cleanup(stop)
	return stop
}

func TestTwoReplicasShareAPersonsPlaces(t *testing.T) {
	onBothPlacers(t, func(t *testing.T, replica func() *Places) {
		one, two := replica(), replica()
		run(t, one)
		if got := enter(t, one, "ada", 3) + enter(t, two, "ada", 3); got != 4 {
			t.Errorf("%d places were given, want 4", got)
		}
		if got := enter(t, two, "eve", 5); got != 4 {
			t.Errorf("another person got %d places, want 4", got)
		}
		one.Leave("ada")
		eventually(t, "a place that was left can be had at the other replica", func() bool { return two.Enter(t.Context(), "ada") })
		if one.Enter(t.Context(), "ada") {
			t.Error("one place more was given")
		}
	})
}

func TestPlacesThatAreTakenAtTheSameTimeAreNotGivenTwice(t *testing.T) {
	onBothPlacers(t, func(t *testing.T, replica func() *Places) {
		var all sync.WaitGroup
		var in atomic.Int64
		for range 2 {
			p := replica()
			for range 5 {
				all.Go(func() {
					if p.Enter(t.Context(), "ada") {
						in.Add(1)
					}
				})
			}
		}
		all.Wait()
		if got := in.Load(); got != 4 {
			t.Errorf("%d places were given, want 4", got)
		}
	})
}

func TestAKilledReplicaHoldsItsPlacesNoLongerThanItsLease(t *testing.T) {
	onBothPlacers(t, func(t *testing.T, replica func() *Places) {
		killed, other := replica(), replica()
		killed.self.life = 500 * time.Millisecond // nobody renews it
		if got := enter(t, killed, "ada", 4); got != 4 {
			t.Fatalf("%d places were given", got)
		}
		in := 0
		eventually(t, "its places are free", func() bool { in += enter(t, other, "ada", 5); return in >= 4 })
		if in != 4 {
			t.Errorf("%d places were given, want 4", in)
		}
	})
}

func TestAReplicaThatStopsGivesItsPlacesBack(t *testing.T) {
	onBothPlacers(t, func(t *testing.T, replica func() *Places) {
		one, two := replica(), replica()
		stop := run(t, one)
		if got := enter(t, one, "ada", 4); got != 4 {
			t.Fatalf("%d places were given", got)
		}
		stop()
		if got := enter(t, two, "ada", 4); got != 4 {
			t.Errorf("%d places are free, want 4", got)
		}
	})
}

func TestWhatTheStoreHasLostIsSaidAgain(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		db := postgrestest.DB(t)
		l := New(Sharing{Timeout: 20 * time.Second, DB: db, Logger: slog.New(slog.DiscardHandler)})
		one, two := l.Places("connections", 4), l.Places("connections", 4)
		enter(t, one, "ada", 3)
		// As after a crash of the database.
		if _, err := db.Pool().Exec(t.Context(), `TRUNCATE core.limits, core.limit_replicas, core.limit_places`); err != nil {
			t.Fatal(err)
		}
		if err := l.places.renew(t.Context(), one.self); err != nil {
			t.Fatal(err)
		}
		if got := enter(t, two, "ada", 4); got != 1 {
			t.Errorf("%d places were given beside three, want 1", got)
		}
	})
	t.Run("redis", func(t *testing.T) {
		server := cachetest.Own(t)
		l := New(Sharing{Cache: redisCache(t, server.URL()), Logger: slog.New(slog.DiscardHandler)})
		one, two := l.Places("connections", 4), l.Places("connections", 4)
		enter(t, one, "ada", 3)
		server.Kill()
		if got := enter(t, one, "ada", 2); got != 1 {
			t.Errorf("while Redis is dead the replica gives %d places beside its three, want 1", got)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the replica says what it holds", func() bool { return l.places.renew(t.Context(), one.self) == nil })
		l.away.Store(0)
		if two.Enter(t.Context(), "ada") {
			t.Error("a fifth place was given")
		}
	})
}

func TestWithoutAStoreAProcessCountsItsOwn(t *testing.T) {
	p := New(Sharing{}).Places("connections", 2)
	if got := enter(t, p, "ada", 3); got != 2 {
		t.Errorf("%d places were given, want 2", got)
	}
	p.Leave("ada")
	if got := enter(t, p, "ada", 3); got != 1 {
		t.Errorf("%d places were given, want 1", got)
	}
	for range 5 {
		p.Leave("ada") // more often than entered
	}
	if got := enter(t, p, "ada", 3); got != 2 || len(p.people) != 1 {
		t.Errorf("%d places were given, want 2; people known are %d", got, len(p.people))
	}
}

func gathered(t *testing.T, registry *prometheus.Registry) (lines string) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			lines += fmt.Sprintf("%s %g\n", family.GetName(), m.GetGauge().GetValue()+m.GetCounter().GetValue())
		}
	}
	return lines
}

// lifetimes is how long each key of a Redis lives; negative is for ever.
func lifetimes(t *testing.T, url string, keys []string) (lives []time.Duration) {
	t.Helper()
	client := cachetest.Client(t, url)
	for _, k := range keys {
		ms, err := client.Do(t.Context(), client.B().Pttl().Key(k).Build()).AsInt64()
		if err != nil {
			t.Fatal(err)
		}
		lives = append(lives, time.Duration(ms)*time.Millisecond)
	}
	return lives
}
