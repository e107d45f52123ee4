package events_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
)

// A standby that lags behind takes over, or an older state is put back, under
// replicas that run: the log ends earlier than they have seen it.
func TestFollowersGoOnFromTheirCheckpointWhenTheLogThatCameBackIsShorter(t *testing.T) {
	for name, comeBack := range map[string][]string{
		"the disk's older state": {
			"SET LOCAL session_replication_role = replica",
			"DELETE FROM events.events WHERE position > 4",
		},
		"another server": {
			"ALTER TABLE events.events RENAME TO lost",
			"ALTER SEQUENCE events.events_position_seq RENAME TO lost_seq",
			"CREATE TABLE events.events (LIKE events.lost INCLUDING ALL)",
			"INSERT INTO events.events OVERRIDING SYSTEM VALUE SELECT * FROM events.lost WHERE position <= 4",
			"GRANT ALL ON events.events, events.events_position_seq TO tracker_user, tracker_teacher, tracker_system",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := setupHandled(t)
			b.log.Subscribe(events.Subscription{Name: "test.started", Types: []string{"goal.started"}, Handle: note})
			eventstest.Run(t, b.log)
			for range 4 {
				b.create(t, goal("ada"), 0, 0) // three events
			}
			eventstest.Settle(t, b.log)
			before := b.handled(t)
			tail := b.log.Tail(b.log.Head())

			tx, err := b.db.Pool().Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(t.Context()) }()
			for _, sql := range append(comeBack,
				"ALTER SEQUENCE events.events_position_seq RESTART WITH 5",
				"UPDATE events.checkpoints SET position = 4",
				"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tracker-listener'",
			) {
				if _, err := tx.Exec(t.Context(), sql); err != nil {
					t.Fatalf("%s: %v", sql, err)
				}
			}
			if err := tx.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			if more, err := tail.Next(t.Context()); !errors.Is(err, events.ErrAnotherLog) {
				t.Errorf("a follower got %d events, %v", len(more), err)
			}
			b.create(t, goal("ada"), 0) // 5 and 6
			for deadline := time.Now().Add(20 * time.Second); len(b.handled(t)) == len(before) && time.Now().Before(deadline); {
				time.Sleep(10 * time.Millisecond)
			}
			if after := b.handled(t)[len(before):]; !slices.Equal(after, []int64{6}) {
				t.Errorf("handled %v of what came then, want 6", after)
			}
		})
	}
}
