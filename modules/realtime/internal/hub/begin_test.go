package hub

import (
	"errors"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/realtime"
)

// Between the end of one try to follow the log and the next, people still come:
// what is written meanwhile is not in their queues.
func TestWhoJoinsWhileNobodyFollowsTheLogIsAskedToResume(t *testing.T) {
	h := &Hub{
		cfg: realtime.DefaultConfig(), ring: ring{max: 10}, ready: make(chan struct{}),
		screens: map[string]map[*Screen]struct{}{},
	}
	ada := auth.Actor{UserID: "ada"}
	h.begin("one", 10)
	between, err := h.Join(t.Context(), ada, func() {})
	if err != nil {
		t.Fatal(err)
	}
	h.begin("one", 20) // events 11 to 20 were handed to nobody
	h.dispatch([]events.Event{{Position: 21, Stream: events.Stream{SubjectID: "ada"}}})
	if pushes, ended := between.Take(false); !errors.Is(ended, ErrGap) {
		t.Errorf("it goes on after %d with %d pushes, %v", between.Joined(), len(pushes), ended)
	}
	after, err := h.Join(t.Context(), ada, func() {})
	if err != nil {
		t.Fatal(err)
	}
	h.dispatch([]events.Event{{Position: 22, Stream: events.Stream{SubjectID: "ada"}}})
	if pushes, ended := after.Take(false); ended != nil || len(pushes) != 1 || pushes[0].Event.Position != 22 {
		t.Errorf("who joined later got %d pushes, %v", len(pushes), ended)
	}
}
