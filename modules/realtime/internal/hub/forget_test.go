package hub

import (
	"testing"

	"github.com/goals-tracker/tracker/modules/events"
)

func TestTheRingForgetsWhoIsErasedAndStillGivesOthersTheirs(t *testing.T) {
	r := ring{max: 10}
	r.start(0)
	for i, subject := range []string{"ada", "bob", "ada", "bob"} {
		r.add(events.Event{Position: int64(i + 1), Stream: events.Stream{SubjectID: subject}})
	}
	r.forget("ada")
	if got, ok := r.of("ada", 0, 10); !ok || len(got) > 0 {
		t.Errorf("%d events of ada, %t", len(got), ok)
	}
	got, ok := r.of("bob", 0, 10)
	if !ok || len(got) != 2 || got[0].Position != 2 || got[1].Position != 4 {
		t.Errorf("bob's are %v, %t", got, ok)
	}
	r.add(events.Event{Position: 7, Stream: events.Stream{SubjectID: "bob"}})
	if got, _ := r.of("bob", 4, 10); len(got) != 1 {
		t.Errorf("%d later ones of bob", len(got))
	}
}
