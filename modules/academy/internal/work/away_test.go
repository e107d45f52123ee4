package work_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/inbox"
	"github.com/goals-tracker/tracker/modules/academy/internal/work"
	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/cluster"
	"github.com/goals-tracker/tracker/modules/core/postgres/migrate"
)

// ownDatabase is a PostgreSQL that the test may stop, and what starts it again.
func ownDatabase(t *testing.T) (db *postgres.DB, stop, start func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "academy-away-") //nolint:usetesting // the account that PostgreSQL runs as can't pass through those
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // the account that it runs as goes through
		t.Fatal(err)
	}
	cfg := cluster.Config{DataDir: filepath.Join(dir, "data"), Logger: slog.New(slog.DiscardHandler), Settings: map[string]string{"fsync": "off"}}
	var server *cluster.Cluster
	ctx := context.WithoutCancel(t.Context())
	stop = func() {
		if err := server.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
	start = func() {
		if server, err = cluster.Start(ctx, cfg); err != nil {
			t.Fatal(err)
		}
	}
	start()
	t.Cleanup(func() { stop(); _ = os.RemoveAll(dir) })
	if err := migrate.Up(ctx, server.URL("")); err != nil {
		t.Fatal(err)
	}
	if db, err = postgres.Open(ctx, postgres.Config{URL: server.URL("")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db, stop, start
}

func TestNoMessageIsLostOrCountedWhilePostgreSQLIsStopped(t *testing.T) {
	if os.Getenv("TRACKER_TEST_FULL") == "" {
		t.Skip("a PostgreSQL of its own takes a while to start; TRACKER_TEST_FULL=1 runs it")
	}
	db, stop, start := ownDatabase(t)
	b := setupOn(t, db)
	c := work.Consumer(b.inbox, queue)
	c.Hold = 100 * time.Millisecond
	var looked, deliveries atomic.Int64
	ready := c.Ready
	c.Ready = func(ctx context.Context) error {
		err := ready(ctx)
		if err != nil {
			looked.Add(1)
		}
		return err
	}
	handle := c.Handle
	c.Handle = func(ctx context.Context, d broker.Delivery) error {
		deliveries.Store(max(deliveries.Load(), int64(d.Attempt)))
		return handle(ctx, d)
	}
	b.background(func(ctx context.Context) error { return b.broker.Consume(ctx, c) })
	b.publish(structured("before", academy.UserCreated, "u0", "Ana", 0))
	b.eventually("what came before is taken", func() bool { return b.count(inbox.Taken) == 1 })
	const messages = 4
	for round := range 2 {
		stop()
		for i := range messages {
			id := fmt.Sprintf("away-%d-%d", round, i)
			b.publish(structured(id, academy.UserUpdated, "user-"+id, "Ana", 1))
		}
		looks := looked.Load()
		b.eventually("the consumer looks for the database more often than a message may be delivered", func() bool { return looked.Load() > looks+30 })
		start()
		b.eventually("all are taken in", func() bool { return b.count(inbox.Taken) == 1+(round+1)*messages })
	}
	// What was here when it stopped goes back once.
	if n := deliveries.Load(); n > 2 {
		t.Errorf("a message was delivered %d times, after two outages", n)
	}
	letters, err := b.broker.DeadLetters(t.Context(), queue, 100)
	if err != nil || len(letters) > 0 {
		t.Errorf("%d messages died of a database that was away: %v", len(letters), err)
	}
}
