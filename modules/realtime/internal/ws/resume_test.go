package ws_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// TestEachEventArrivesOnceAndInOrderWhicheverReplicaDies is what learners are
// owed: a client reads on one replica, the replica is killed, and it goes on at
// the other, from memory or from the log, while events go on being made.
func TestEachEventArrivesOnceAndInOrderWhicheverReplicaDies(t *testing.T) {
	for name, test := range map[string]struct {
		ring int
		// ask resumes on a new connection.
		ask func(t *testing.T, r *replica, last int64, epoch any) *client
	}{
		"from memory, in the address": {4096, func(t *testing.T, r *replica, last int64, epoch any) *client {
			c, _, err := open(t, r, fmt.Sprintf("/ws?after_seq=%d&epoch=%s&token=%s", last, epoch, token(t, "ada", time.Hour)), nil)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}},
		"from the log, by a message": {1, func(t *testing.T, r *replica, last int64, epoch any) *client {
			c := dial(t, r, "/ws", "ada", time.Hour)
			c.send("resume", "r", map[string]any{"after_seq": last, "epoch": epoch})
			return c
		}},
	} {
		t.Run(name, func(t *testing.T) {
			db := postgrestest.DB(t)
			dies := start(t, db, nil)
			lives := start(t, db, func(o *options) { o.Ring = test.ring })
			writer := dial(t, lives, "/ws", "ada", time.Hour)
			c := dial(t, dies, "/ws", "ada", time.Hour)
			epoch := c.next("hello").field("epoch")
			c.send("ping", "", nil) // ends the hold

			const all, before = 60, 20
			var made []string
			var got []string
			last := int64(0)
			take := func(m message) {
				if m.Type != "goal.created" {
					return
				}
				if m.Seq <= last {
					t.Fatalf("seq %d came after %d", m.Seq, last)
				}
				last = m.Seq
				id, _ := m.field("goal_id").(string)
				got = append(got, id)
			}
			for i := range all {
				if i == all/2 {
					for len(got) < before {
						m, err := c.read()
						if err != nil {
							t.Fatal(err)
						}
						take(m)
					}
					dies.kill()
				}
				made = append(made, writer.create(fmt.Sprint(i)))
				if i == all/2+10 {
					c = test.ask(t, lives, last, epoch) // the rest is made while it resumes
				}
			}
			for len(got) < all {
				m, err := c.read()
				if err != nil {
					t.Fatalf("after %d of %d: %v", len(got), all, err)
				}
				if m.Type == "reset" {
					t.Fatalf("it was reset: %s", m.Payload)
				}
				take(m)
			}
			if !slices.Equal(got, made) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(made, "\n"))
			}
		})
	}
}

func TestADatabaseThatBecameAnotherSendsClientsBackToTheStart(t *testing.T) {
	db := postgrestest.DB(t)
	r := start(t, db, nil)
	c := dial(t, r, "/ws", "ada", time.Hour)
	epoch := c.next("hello").field("epoch")
	c.create("before the restore")
	last := c.next("goal.created").Seq
	// As a restore in place does: another table by the same name; and connections
	// break.
	for _, sql := range []string{
		"ALTER TABLE events.events RENAME TO lost",
		"CREATE TABLE events.events (LIKE events.lost INCLUDING ALL)",
		"INSERT INTO events.events OVERRIDING SYSTEM VALUE SELECT * FROM events.lost",
		"GRANT ALL ON events.events TO tracker_user, tracker_teacher, tracker_system",
	} {
		if _, err := db.Pool().Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	ended := make(chan websocket.CloseError, 1)
	go func() { ended <- c.closed() }()
	for done := false; !done && !t.Failed(); {
		if _, err := db.Pool().Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tracker-listener'"); err != nil {
			t.Fatal(err)
		}
		select {
		case end := <-ended:
			if end.Code != 1013 {
				t.Errorf("closed with %v", end)
			}
			done = true
		case <-time.After(200 * time.Millisecond): // the listener may have been about to connect
		}
	}
	again := dial(t, r, "/ws", "ada", time.Hour)
	again.send("resume", "r", map[string]any{"after_seq": last, "epoch": epoch})
	if now := again.next("hello").field("epoch"); now == epoch || now == "" {
		t.Errorf("the epoch was %v and is %v", epoch, now)
	}
	if m := again.next("reset"); m.field("epoch") == epoch {
		t.Errorf("got %s", m.Payload)
	}
}

func TestAResumeThatComesAfterNewerEventsIsAReset(t *testing.T) {
	r := start(t, postgrestest.DB(t), nil)
	writer := dial(t, r, "/ws", "ada", time.Hour)
	writer.create("before")
	seen := writer.next("goal.created").Seq
	writer.create("missed")
	writer.next("goal.created")
	late := dial(t, r, "/ws", "ada", time.Hour)
	late.next("hello")
	late.send("ping", "", nil) // says that no resume comes
	late.next("pong")
	writer.create("live")
	live := late.next("goal.created").Seq
	late.send("resume", "r1", map[string]any{"after_seq": seen})
	if m := late.next("reset"); m.CorrelationID != "r1" || m.field("seq") != float64(live) {
		t.Errorf("got %+v", m)
	}
	// What it was sent on this connection, it may have again.
	late.send("resume", "r2", map[string]any{"after_seq": live - 1})
	if m := late.next("goal.created"); m.Seq != live {
		t.Errorf("got %+v", m)
	}
	if m := late.next("resume.ok"); m.CorrelationID != "r2" || m.field("events") != float64(1) {
		t.Errorf("got %+v", m)
	}
}

// A writer that is late holds back what every replica reads as settled, but not
// what one of them has seen already.
func TestALateWriterDoesNotHideMissedEvents(t *testing.T) {
	db := postgrestest.DB(t)
	r := start(t, db, func(o *options) { o.Ring = 1 })
	writer := dial(t, r, "/ws", "ada", time.Hour)
	writer.create("seen")
	seen := writer.next("goal.created").Seq
	for range 3 {
		writer.create("missed")
		writer.next("goal.created")
	}
	tx, err := db.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), "SELECT pg_advisory_xact_lock_shared(events.writer_key($1))", seen); err != nil {
		t.Fatal(err)
	}
	back, _, err := open(t, r, fmt.Sprintf("/ws?after_seq=%d&token=%s", seen, token(t, "ada", time.Hour)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := back.next("resume.ok"); m.field("events") != float64(3) {
		t.Errorf("got %s", m.Payload)
	}
}

func TestAClientOfAFasterReplicaIsWaitedFor(t *testing.T) {
	db := postgrestest.DB(t)
	fast, slow := start(t, db, nil), start(t, db, nil)
	writer := dial(t, fast, "/ws", "ada", time.Hour)
	for i := range 20 {
		writer.create(fmt.Sprint(i))
		seq := writer.next("goal.created").Seq // the other may not have seen it
		c, _, err := open(t, slow, fmt.Sprintf("/ws?after_seq=%d&token=%s", seq, token(t, "ada", time.Hour)), nil)
		if err != nil {
			t.Fatal(err)
		}
		c.next("hello")
		if m, err := c.read(); err != nil || m.Type != "resume.ok" || m.field("seq").(float64) < float64(seq) {
			t.Fatalf("got %s %s, %v", m.Type, m.Payload, err)
		}
		_ = c.conn.CloseNow()
	}
}

func TestACommandWhoseReplyWasLostIsDoneOnceOnTheOtherReplica(t *testing.T) {
	db := postgrestest.DB(t)
	dies, lives := start(t, db, nil), start(t, db, nil)
	c := dial(t, dies, "/ws", "ada", time.Hour)
	id := uuid.NewString()
	c.send("goal.create", id, map[string]any{"title": "once"})
	first := c.next("goal.create.ok").field("id")
	dies.kill()
	again := dial(t, lives, "/ws", "ada", time.Hour)
	again.send("goal.create", id, map[string]any{"title": "once"})
	if second := again.next("goal.create.ok").field("id"); first == nil || second != first {
		t.Errorf("made %v, then %v", first, second)
	}
}

func TestAServerThatStopsAnswersWhatRunsAndSendsItsClientsElsewhere(t *testing.T) {
	db := postgrestest.DB(t)
	r := start(t, db, nil)
	c := dial(t, r, "/ws", "ada", time.Hour)
	idle := dial(t, r, "/ws", "bob", time.Hour)
	idle.next("hello")
	goal := c.create("slow")
	// A lock keeps the next command running.
	tx, err := db.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT 1 FROM goals.goals WHERE id = $1 FOR UPDATE", goal); err != nil {
		t.Fatal(err)
	}
	c.send("goal.start", "s1", map[string]any{"goal_id": goal})
	c.send("goal.update", "s2", map[string]any{"goal_id": goal, "title": "never begun"})
	for { // until the first waits for the lock
		var waiting int
		if err := db.Pool().QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		if waiting > 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	r.hub.Stop()
	if end := idle.closed(); end.Code != 1012 || !strings.HasPrefix(end.Reason, "retry_after_ms=") {
		t.Errorf("the idle one was closed with %v", end)
	}
	if _, response, err := open(t, r, "/ws?token="+token(t, "ada", time.Hour), nil); err == nil || response.status != http.StatusServiceUnavailable || response.header.Get("Retry-After") == "" {
		t.Errorf("another one: %v, %v", response, err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m := c.next("goal.start.ok"); m.CorrelationID != "s1" || m.field("status") != "in_progress" {
		t.Errorf("got %+v", m)
	}
	if end := c.closed(); end.Code != 1012 || !strings.HasPrefix(end.Reason, "retry_after_ms=") {
		t.Errorf("closed with %v", end)
	}
	r.stop()
}
