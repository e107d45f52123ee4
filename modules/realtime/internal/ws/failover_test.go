package ws_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// A standby that lags behind takes over, or an older backup is put back: the log
// ends earlier than the replica has seen it, and goes on from there.
func TestScreensGoOnWhenTheLogThatCameBackIsShorter(t *testing.T) {
	db := postgrestest.DB(t)
	r := start(t, db, nil)
	c := dial(t, r, "/ws", "ada", time.Hour)
	c.next("hello")
	for i := range 20 {
		c.create(fmt.Sprint(i))
		c.next("goal.created")
	}
	for _, sql := range []string{
		"ALTER TABLE events.events RENAME TO lost",
		"ALTER SEQUENCE events.events_position_seq RENAME TO lost_seq",
		"CREATE TABLE events.events (LIKE events.lost INCLUDING ALL)",
		"INSERT INTO events.events OVERRIDING SYSTEM VALUE SELECT * FROM events.lost WHERE position <= 5",
		"GRANT ALL ON events.events TO tracker_user, tracker_teacher, tracker_system",
		"GRANT ALL ON events.events_position_seq TO tracker_user, tracker_teacher, tracker_system",
		"ALTER SEQUENCE events.events_position_seq RESTART WITH 6",
		"SELECT nextval('events.events_position_seq')", // 6 was lost
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tracker-listener'",
	} {
		if _, err := db.Pool().Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	for {
		m, err := c.read()
		var end websocket.CloseError
		if errors.As(err, &end) {
			if end.Code != websocket.StatusTryAgainLater {
				t.Errorf("closed with %v", end)
			}
			break
		} else if err != nil {
			t.Fatal(err)
		}
		t.Logf("got %s", m.Type)
	}
	again := dial(t, r, "/ws", "ada", time.Hour)
	if seq := again.next("hello").field("seq"); seq != float64(6) {
		t.Errorf("it begins after %v, but the log ends with 6", seq)
	}
	goal := again.create("after the failover")
	if m := again.next("goal.created"); m.field("goal_id") != goal {
		t.Errorf("got %s", m.Payload)
	}
}
