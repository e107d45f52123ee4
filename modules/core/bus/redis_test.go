package bus_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
	"github.com/goals-tracker/tracker/modules/core/config"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// overRedis is a bus that a Redis carries; listen lets it hear PostgreSQL, too.
func overRedis(t *testing.T, db *postgres.DB, url string) (b *bus.Bus, got <-chan bus.Message, listen func()) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	cfg := cache.DefaultConfig()
	cfg.URL = config.Secret(url)
	redis, err := cache.New(cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	listener := postgres.NewListener(db, quiet)
	b = bus.New(db, listener, quiet)
	b.Over(redis)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { b.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait(); redis.Close() })
	inbox := make(chan bus.Message, 10_000)
	t.Cleanup(b.Subscribe(func(m bus.Message) { inbox <- m }))
	return b, inbox, func() { running.Go(func() { listener.Run(ctx) }) }
}

// until says something on one bus again and again, until the other hears it.
func until(t *testing.T, from *bus.Bus, got <-chan bus.Message, kind string) {
	t.Helper()
	for began := time.Now(); time.Since(began) < 30*time.Second; {
		from.Publish(bus.Message{UserID: "ada", Type: kind, Payload: json.RawMessage(`{}`)})
		select {
		case m := <-got:
			if m.Type == kind {
				return
			}
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("%s did not arrive", kind)
}

func TestRedisCarriesMessagesAndPostgreSQLDoesWhileItIsAway(t *testing.T) {
	db := postgrestest.DB(t)
	server := cachetest.Own(t)
	one, _, listenOne := overRedis(t, db, server.URL())
	_, got, listenTwo := overRedis(t, db, server.URL())
	stranger, strangers, _ := overRedis(t, postgrestest.DB(t), server.URL()) // another tracker on the same Redis
	until(t, one, got, "by Redis")                                           // nobody listens to PostgreSQL yet
	stranger.Publish(bus.Message{UserID: "ada", Type: "foreign", Payload: json.RawMessage(`{}`)})
	listenOne()
	listenTwo()
	server.Kill()
	until(t, one, got, "by PostgreSQL")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, one, got, "again")
	for len(got) > 0 {
		if m := <-got; m.Type == "foreign" {
			t.Error("another database's message arrived")
		}
	}
	for len(strangers) > 0 {
		if m := <-strangers; m.Type != "foreign" {
			t.Errorf("another database got %s", m.Type)
		}
	}
}
