package hub

import (
	"sort"

	"github.com/goals-tracker/tracker/modules/events"
)

// ring is what the log said lately, for screens that come back: most were away
// for a moment, and need no query. The hub's lock guards it.
type ring struct {
	max int
	// from: the ring holds every event after it.
	from int64
	kept []*Event
}

// start empties the ring; events after the position will be added.
func (r *ring) start(position int64) { r.from, r.kept = position, nil }

// add takes the next event of the log.
func (r *ring) add(e events.Event) *Event {
	kept := &Event{Event: e}
	if e.Stream.SubjectID == "" {
		return kept // nobody's: no screen asks for it
	}
	r.kept = append(r.kept, kept)
	if over := len(r.kept) - r.max; over > 0 {
		r.from = r.kept[over-1].Position
		clear(r.kept[:over])
		r.kept = r.kept[over:]
	}
	return kept
}

// forget takes a person's events out.
func (r *ring) forget(userID string) {
	kept := make([]*Event, 0, len(r.kept))
	for _, e := range r.kept {
		if e.Stream.SubjectID != userID {
			kept = append(kept, e)
		}
	}
	r.kept = kept
}

// of gives a person's events after a position and up to another; ok is false
// when the ring does not reach back so far.
func (r *ring) of(userID string, after, upTo int64) (found []*Event, ok bool) {
	if after < r.from {
		return nil, false
	}
	first := sort.Search(len(r.kept), func(i int) bool { return r.kept[i].Position > after })
	for _, e := range r.kept[first:] {
		if e.Position > upTo {
			break
		}
		if e.Stream.SubjectID == userID {
			found = append(found, e)
		}
	}
	return found, true
}
