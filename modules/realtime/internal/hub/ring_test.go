package hub

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/events"
)

func TestTheRingGivesAllOfAPersonsEventsOrSaysThatItCant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Int64Range(0, 100).Draw(t, "start")
		r := ring{max: rapid.IntRange(1, 20).Draw(t, "max")}
		r.start(start)
		type entry struct {
			position int64
			subject  string
		}
		var log []entry
		position := start
		for range rapid.IntRange(0, 60).Draw(t, "events") {
			position += rapid.Int64Range(1, 5).Draw(t, "gap")
			e := entry{position, rapid.SampledFrom([]string{"", "ada", "bob"}).Draw(t, "subject")}
			log = append(log, e)
			r.add(events.Event{Position: e.position, Stream: events.Stream{SubjectID: e.subject}})
		}
		after := rapid.Int64Range(0, position+5).Draw(t, "after")
		upTo := rapid.Int64Range(0, position+5).Draw(t, "upTo")
		got, ok := r.of("ada", after, upTo)
		if !ok {
			if len(r.kept) < r.max && after >= start {
				t.Fatalf("a ring with room gives nothing after %d", after)
			}
			return
		}
		var want, have []int64
		for _, e := range log {
			if e.subject == "ada" && e.position > after && e.position <= upTo {
				want = append(want, e.position)
			}
		}
		for _, e := range got {
			have = append(have, e.Position)
		}
		if !slices.Equal(have, want) {
			t.Fatalf("got %v, want %v", have, want)
		}
	})
}
