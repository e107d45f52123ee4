package postgres_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

func TestNotificationsArriveAlsoAfterTheConnectionBroke(t *testing.T) {
	db := setup(t)
	listener := postgres.NewListener(db, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); listener.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })

	first, second := make(chan string, 100), make(chan string, 100)
	listener.On("one", func(p string) { first <- p })
	expect(t, first, "") // connected
	listener.On("two", func(p string) { second <- p })
	expect(t, second, "")

	notify := func(channel, payload string) {
		if _, err := db.Pool().Exec(t.Context(), "SELECT pg_notify($1, $2)", channel, payload); err != nil {
			t.Fatal(err)
		}
	}
	notify("one", "a")
	notify("two", "b")
	expect(t, first, "a")
	expect(t, second, "b")

	if _, err := db.Pool().Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE application_name = 'tracker-listener' AND datname = current_database()`); err != nil {
		t.Fatal(err)
	}
	expect(t, first, "") // connected again: look whether something was missed
	notify("one", "c")
	expect(t, first, "c")
}

func expect(t *testing.T, got chan string, want string) {
	t.Helper()
	select {
	case payload := <-got:
		if payload != want {
			t.Fatalf("got %q, want %q", payload, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%q did not arrive", want)
	}
}
