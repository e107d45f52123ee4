package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

func TestACommandIsAnsweredAndItsEventPushedToAllScreensOfThePerson(t *testing.T) {
	db := postgrestest.DB(t)
	here, there := start(t, db, nil), start(t, db, nil)
	ada := dial(t, here, "/ws", "ada", time.Hour)
	laptop := dial(t, there, "/api/v1/ws", "ada", time.Hour) // another replica
	bob := dial(t, here, "/ws", "bob", time.Hour)
	for _, c := range []*client{ada, laptop, bob} {
		hello := c.next("hello")
		if hello.field("epoch") == "" || hello.field("seq") == nil {
			t.Errorf("hello %s", hello.Payload)
		}
		c.send("ping", "", nil) // no resume comes
		c.next("pong")
	}
	goal := ada.create("Learn Go")
	for name, c := range map[string]*client{"ada": ada, "laptop": laptop} {
		if m := c.next("goal.created"); m.field("goal_id") != goal || m.Seq == 0 {
			t.Errorf("%s: %+v", name, m)
		}
	}
	bob.send("ping", "p1", map[string]any{"n": 1})
	if m, err := bob.read(); err != nil || m.Type != "pong" || m.CorrelationID != "p1" {
		t.Errorf("bob got %+v, %v; want only his pong", m, err)
	}
}

func TestRefusalsCarryCodeAndCorrelation(t *testing.T) {
	c := dial(t, start(t, postgrestest.DB(t), nil), "/ws", "ada", time.Hour)
	c.next("hello")
	for _, test := range []struct {
		kind    string
		payload any
		code    string
	}{
		{"goal.create", map[string]any{"title": ""}, "invalid_argument"},
		{"goal.create", map[string]any{"title": "x", "colour": "red"}, "invalid_argument"},
		{"goal.start", map[string]any{"goal_id": uuid.NewString()}, "not_found"},
		{"goal.sing", map[string]any{}, "invalid_argument"},
		{"resume", map[string]any{"after_seq": -1}, "invalid_argument"},
		{"auth", map[string]any{"token": "x"}, "unauthenticated"},
		{"auth", map[string]any{"token": token(t, "bob", time.Hour)}, "permission_denied"},
	} {
		id := "c-" + test.kind
		c.send(test.kind, id, test.payload)
		m := c.next("error")
		if m.field("code") != test.code || m.CorrelationID != id || m.field("message") == "" || m.field("fields") == nil {
			t.Errorf("%s %v: got %s for %q", test.kind, test.payload, m.Payload, m.CorrelationID)
		}
	}
	if err := c.conn.Write(t.Context(), websocket.MessageText, []byte("{")); err != nil {
		t.Fatal(err)
	}
	if m := c.next("error"); m.field("code") != "invalid_argument" {
		t.Errorf("got %s", m.Payload)
	}
}

func TestACommandThatIsSentAgainIsDoneOnce(t *testing.T) {
	c := dial(t, start(t, postgrestest.DB(t), nil), "/ws", "ada", time.Hour)
	id := uuid.NewString()
	var ids []any
	for range 2 {
		c.send("goal.create", id, map[string]any{"title": "once"})
		ids = append(ids, c.next("goal.create.ok").field("id"))
	}
	if ids[0] != ids[1] {
		t.Errorf("two goals were made: %v", ids)
	}
}

func TestAClientThatWasAwayGetsWhatItMissedOnceAndInOrder(t *testing.T) {
	db := postgrestest.DB(t)
	r := start(t, db, nil)
	writer := dial(t, r, "/ws", "ada", time.Hour)
	writer.create("before")
	seen := writer.next("goal.created").Seq
	for i := range 5 {
		writer.create(fmt.Sprintf("missed %d", i))
	}
	back := dial(t, r, "/ws", "ada", time.Hour)
	hello := back.next("hello")
	back.send("resume", "r1", map[string]any{"after_seq": seen, "epoch": hello.field("epoch")})
	for i := range 5 {
		writer.create(fmt.Sprintf("live %d", i))
	}
	last := seen
	for n := 0; n < 10; {
		m, err := back.read()
		if err != nil {
			t.Fatal(err)
		}
		if m.Seq == 0 {
			continue
		}
		if m.Seq <= last {
			t.Fatalf("seq %d came after %d", m.Seq, last)
		}
		last = m.Seq
		n++
	}
}

func TestAClientThatMissedTooMuchIsReset(t *testing.T) {
	r := start(t, postgrestest.DB(t), func(o *options) { o.MaxResume = 3 })
	writer := dial(t, r, "/ws", "ada", time.Hour)
	for i := range 5 {
		writer.create(fmt.Sprint(i))
	}
	last := int64(0)
	for range 5 {
		last = max(last, writer.next("goal.created").Seq)
	}
	for name, resume := range map[string]map[string]any{
		"too old":       {"after_seq": 0},
		"other history": {"after_seq": last, "epoch": "another"},
		"the future":    {"after_seq": last + 1000},
	} {
		c := dial(t, r, "/ws", "ada", time.Hour)
		c.send("resume", name, resume)
		if m := c.next("reset"); m.CorrelationID != name || m.field("seq") == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestAnExpiredTokenEndsTheConnectionUnlessItWasRenewed(t *testing.T) {
	t.Parallel()
	r := start(t, postgrestest.DB(t), nil)
	renewed := dial(t, r, "/ws", "ada", 2*time.Second)
	expires := dial(t, r, "/ws", "ada", 2*time.Second)
	renewed.send("auth", "a1", map[string]any{"token": token(t, "ada", time.Hour)})
	renewed.next("auth.ok")
	for {
		_, err := expires.read()
		if err == nil {
			continue
		}
		if code := websocket.CloseStatus(err); code != 4401 {
			t.Errorf("closed with %d (%v), want 4401", code, err)
		}
		break
	}
	renewed.send("ping", "p", nil)
	renewed.next("pong")
}

func TestAClientThatDoesNotReadIsClosedAndDelaysNobody(t *testing.T) {
	t.Parallel()
	db := postgrestest.DB(t)
	r := start(t, db, func(o *options) { o.Queue, o.WriteTimeout = 2, time.Second })
	// The system buffers little for this one: else it takes megabytes to notice.
	thin := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{Control: narrow}).DialContext}}
	stalled, _, err := open(t, r, "/ws?token="+token(t, "ada", time.Hour), &websocket.DialOptions{HTTPClient: thin})
	if err != nil {
		t.Fatal(err)
	}
	stalled.next("hello")
	writer := dial(t, start(t, db, func(o *options) { o.Rate, o.Burst = 1e6, 1e6 }), "/ws", "ada", time.Hour)
	long := strings.Repeat("x", 15000)
	for i := range 100 {
		writer.send("goal.create", uuid.NewString(), map[string]any{"title": fmt.Sprint(i), "description": long})
		if i%50 == 49 { // replies are read in bulk
			for range 50 {
				writer.next("goal.create.ok")
			}
		}
	}
	for {
		if _, err := stalled.read(); errors.Is(err, context.DeadlineExceeded) {
			t.Fatal("a client that did not read is still connected")
		} else if err != nil {
			return // closed, with 1013 when the close frame still fits
		}
	}
}

func TestTransientPushesReachOnlyTheirPerson(t *testing.T) {
	db := postgrestest.DB(t)
	r := start(t, db, nil)
	ada, bob := dial(t, r, "/ws", "ada", time.Hour), dial(t, r, "/ws", "bob", time.Hour)
	for _, c := range []*client{ada, bob} {
		c.next("hello")
		c.send("ping", "", nil) // ends the hold
		c.next("pong")
	}
	r.bus.Publish(bus.Message{UserID: "ada", Type: "validation.stage", Payload: json.RawMessage(`{"stage":"test"}`)})
	if m := ada.next("validation.stage"); m.Seq != 0 || m.field("stage") != "test" {
		t.Errorf("got %+v", m)
	}
	bob.send("ping", "", nil)
	if m, err := bob.read(); err != nil || m.Type != "pong" {
		t.Errorf("bob got %+v, %v", m, err)
	}
}
