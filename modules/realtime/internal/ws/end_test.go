package ws_test

import (
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

func TestAPersonWhoIsErasedLosesEveryConnectionOnEveryReplica(t *testing.T) {
	db := postgrestest.DB(t)
	var erased atomic.Bool
	revoked := auth.NewRevocations() // each replica has its own; here the tombstone shows everywhere at once
	revoked.Check(func(userID string) bool { return userID == "ada" && erased.Load() })
	here := start(t, db, func(o *options) { o.revoked = revoked })
	there := start(t, db, func(o *options) { o.revoked = revoked })
	ada, laptop, bob := dial(t, here, "/ws", "ada", time.Hour), dial(t, there, "/ws", "ada", time.Hour), dial(t, here, "/ws", "bob", time.Hour)
	watched := watch(t, there, "ada", nil)
	<-watched
	for _, c := range []*client{ada, laptop, bob} {
		c.next("hello")
	}
	erased.Store(true)
	revoked.Tell("ada")
	for name, c := range map[string]*client{"here": ada, "there": laptop} {
		if end := c.closed(); end.Code != 4403 {
			t.Errorf("%s: closed with %v", name, end)
		}
	}
	if m, open := <-watched; open {
		t.Errorf("the stream went on with %v", m)
	}
	if _, response, err := open(t, here, "/ws?token="+token(t, "ada", time.Hour), nil); err == nil || response.status != 401 {
		t.Errorf("let in again: %v, %v", response, err)
	}
	bob.send("ping", "", nil)
	bob.next("pong")
	families, err := here.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			shown[f.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	if shown["tracker_realtime_closed_total"] != 1 || shown["tracker_realtime_connections"] != 1 {
		t.Errorf("the metrics show %v, want one that was closed and one that is open", shown)
	}
}

func TestAnErasureThatOneReplicaKnowsOfIsHeardByTheOthers(t *testing.T) {
	db := postgrestest.DB(t)
	here, there := start(t, db, nil), start(t, db, nil)
	laptop := dial(t, there, "/ws", "ada", time.Hour)
	laptop.next("hello")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for { // a notification may be lost while the other begins to listen
			here.hub.Erased("ada")
			select {
			case <-t.Context().Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
			if laptop.conn.Ping(t.Context()) != nil {
				return
			}
		}
	}()
	if end := laptop.closed(); end.Code != 4403 {
		t.Errorf("closed with %v", end)
	}
	<-ended
}

func TestAnErasureThatWasNotAnnouncedEndsConnectionsAsWell(t *testing.T) {
	t.Parallel()
	r := start(t, postgrestest.DB(t), nil)
	ada := dial(t, r, "/ws", "ada", time.Hour)
	ada.next("hello")
	watched := watch(t, r, "ada", nil)
	<-watched
	r.hub.RefuseWhen(func(userID string) bool { return userID == "ada" })
	if end := ada.closed(); end.Code != 4403 {
		t.Errorf("closed with %v", end)
	}
	for range watched {
	}
}

func TestAClientIsAskedForANewTokenBeforeItsOwnEnds(t *testing.T) {
	t.Parallel()
	r := start(t, postgrestest.DB(t), func(o *options) { o.RenewBefore = time.Hour })
	c := dial(t, r, "/ws", "ada", 30*time.Minute)
	if c.next("hello").field("expires_at") == nil {
		t.Error("hello does not say when the token ends")
	}
	if m := c.next("auth.required"); m.field("expires_at") == nil {
		t.Errorf("got %s", m.Payload)
	}
	c.send("auth", "a1", map[string]any{"token": token(t, "ada", 2*time.Hour)})
	if m := c.next("auth.ok"); m.CorrelationID != "a1" || m.field("expires_at") == nil {
		t.Errorf("got %+v", m)
	}
	// Asked once; and again when the new one is about to end.
	c.send("auth", "a2", map[string]any{"token": token(t, "ada", 20*time.Minute)})
	c.next("auth.ok")
	c.next("auth.required")
}

func TestAStreamEndsWithItsToken(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*options){
		"while it waits for news": nil,
		"before it began":         func(o *options) { o.idle = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stream, err := watching(t, start(t, postgrestest.DB(t), change), token(t, "ada", time.Second), nil)
			if err != nil {
				t.Fatal(err)
			}
			for stream.Receive() {
			}
			if code := connect.CodeOf(stream.Err()); code != connect.CodeUnauthenticated {
				t.Errorf("ended with %v", stream.Err())
			}
		})
	}
}

func TestProgressReachesScreensOnOtherReplicas(t *testing.T) {
	db := postgrestest.DB(t)
	works, shows := start(t, db, nil), start(t, db, nil)
	c := dial(t, shows, "/ws", "ada", time.Hour)
	watched := watch(t, shows, "ada", nil)
	<-watched
	c.next("hello")
	c.send("ping", "", nil)
	c.next("pong")
	// Notifications may be lost, as while a replica begins to listen: until one
	// has arrived, it is said again.
	arrived := make(chan message, 1)
	go func() { arrived <- c.next("agent.token") }()
	for done := false; !done; {
		works.bus.Publish(bus.Message{UserID: "ada", Type: "agent.token", Payload: json.RawMessage(`{"text":"Hola"}`)})
		select {
		case m := <-arrived:
			if m.field("text") != "Hola" || m.Seq != 0 {
				t.Errorf("got %+v", m)
			}
			done = true
		case <-time.After(50 * time.Millisecond):
		}
	}
	if m := (<-watched).GetTransient(); m.GetType() != "agent.token" || m.GetPayload() != `{"text":"Hola"}` {
		t.Errorf("the stream got %v", m)
	}
}
