package bus_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

func TestAMessageReachesEveryReplicaOnce(t *testing.T) {
	db := postgrestest.DB(t)
	var buses []*bus.Bus
	var got []chan bus.Message
	for range 2 {
		listener := postgres.NewListener(db, slog.New(slog.DiscardHandler))
		connected := make(chan struct{}, 10)
		b := bus.New(db, listener, slog.New(slog.DiscardHandler))
		listener.On("tracker_bus", func(string) { connected <- struct{}{} })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{}, 2)
		go func() { listener.Run(ctx); done <- struct{}{} }()
		go func() { b.Run(ctx); done <- struct{}{} }()
		t.Cleanup(func() { cancel(); <-done; <-done })
		inbox := make(chan bus.Message, 100)
		t.Cleanup(b.Subscribe(func(m bus.Message) { inbox <- m }))
		buses, got = append(buses, b), append(got, inbox)
		<-connected
	}
	buses[0].Publish(bus.Message{UserID: "ada", Type: "queue", Payload: json.RawMessage(`{"position":2}`)})
	// Longer than a notification: only this replica's subscribers get it.
	buses[0].Publish(bus.Message{UserID: "ada", Type: "long", Payload: json.RawMessage(`"` + strings.Repeat("x", 9000) + `"`)})
	buses[0].Publish(bus.Message{UserID: "ada", Type: "last", Payload: json.RawMessage(`{}`)})
	for i, want := range [][]string{{"queue", "long", "last"}, {"queue", "last"}} {
		for _, kind := range want {
			select {
			case m := <-got[i]:
				if m.Type != kind || m.UserID != "ada" {
					t.Fatalf("replica %d got %s, want %s", i, m.Type, kind)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("replica %d: %s did not arrive", i, kind)
			}
		}
		if len(got[i]) > 0 {
			t.Errorf("replica %d got %d messages too many", i, len(got[i]))
		}
	}
}
