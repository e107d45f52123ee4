package hub

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/limits"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/realtime"
)

// Between the end of one try to follow the log and the next, people still come:
// what is written meanwhile would never be in their queues.
func TestWhoComesWhileNobodyFollowsTheLogWaitsAndMissesNothing(t *testing.T) {
	h := New(nil, nil, bus.New(nil, postgres.NewListener(nil, nil), nil), realtime.DefaultConfig(), limits.New(limits.Sharing{}).Places("connections", 20), nil)
	ada := auth.Actor{UserID: "ada"}
	h.begin("one", 10)
	before, err := h.Join(t.Context(), ada, func() {})
	if err != nil {
		t.Fatal(err)
	}
	h.pause()
	if _, ended := before.Take(false); !errors.Is(ended, ErrGap) {
		t.Errorf("who was there before was told %v", ended)
	}
	joined := make(chan *Screen)
	go func() {
		s, err := h.Join(t.Context(), ada, func() {})
		if err != nil {
			t.Error(err)
		}
		joined <- s
	}()
	select {
	case s := <-joined:
		t.Fatalf("somebody was let in after %d, where nobody followed the log", s.Joined())
	case <-time.After(50 * time.Millisecond):
	}
	h.begin("two", 20) // events 11 to 20 were handed to nobody
	s := <-joined
	h.dispatch([]events.Event{{Position: 21, Stream: events.Stream{SubjectID: "ada"}}})
	pushes, ended := s.Take(false)
	if s.Joined() != 20 || s.Epoch() != "two" || ended != nil || len(pushes) != 1 || pushes[0].Event.Position != 21 {
		t.Errorf("after %d of %s it got %d pushes, %v", s.Joined(), s.Epoch(), len(pushes), ended)
	}
}

func TestWhoWaitsToBeLetInIsSentElsewhereWhenTheServerStops(t *testing.T) {
	h := New(nil, nil, bus.New(nil, postgres.NewListener(nil, nil), nil), realtime.DefaultConfig(), limits.New(limits.Sharing{}).Places("connections", 20), nil)
	refused := make(chan error)
	go func() {
		_, err := h.Join(t.Context(), auth.Actor{UserID: "ada"}, func() {})
		refused <- err
	}()
	h.Stop()
	if err := <-refused; !errors.Is(err, ErrShutdown) {
		t.Errorf("got %v", err)
	}
}

// After an outage one replica may follow again seconds before another: who comes
// from the faster one has lost nothing by waiting.
func TestWhoComesFromAFasterReplicaWaitsForThisOne(t *testing.T) {
	h := New(nil, nil, bus.New(nil, postgres.NewListener(nil, nil), nil), realtime.DefaultConfig(), limits.New(limits.Sharing{}).Places("connections", 20), nil)
	h.settled = func(context.Context) (int64, error) { return 20, nil }
	h.begin("one", 10)
	s, err := h.Join(t.Context(), auth.Actor{UserID: "ada"}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if s.Reached(t.Context(), 21) {
		t.Error("a position that the log does not hold was reached")
	}
	late := time.AfterFunc(1500*time.Millisecond, func() { h.dispatch([]events.Event{{Position: 20}}) })
	defer late.Stop()
	if !s.Reached(t.Context(), 20) {
		t.Error("nobody waited for a position that the log holds")
	}
}
