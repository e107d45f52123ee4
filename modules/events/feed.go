package events

import (
	"sort"
	"sync"
)

// feed is what a replica has seen of the log lately: one tailer writes it, any
// number of followers read it at their own pace.
type feed struct {
	maxEvents, maxBytes int

	mu sync.Mutex
	// head is settled and loaded; -1 until the tailer has looked once.
	head int64
	// history holds all events after from.
	from    int64
	history []Event
	bytes   int
	// life is another when the log is another than before.
	life int
	// changed is closed when head moves, or life does.
	changed chan struct{}
}

func newFeed(maxEvents, maxBytes int) *feed {
	return &feed{maxEvents: maxEvents, maxBytes: maxBytes, head: -1, changed: make(chan struct{})}
}

// add moves the head, with the events in between.
func (f *feed) add(events []Event, head int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.head < 0 {
		f.from = head
	}
	f.history = append(f.history, events...)
	for _, e := range events {
		f.bytes += len(e.Raw)
	}
	drop := 0
	for drop < len(f.history) && (len(f.history)-drop > f.maxEvents || f.bytes > f.maxBytes) {
		f.bytes -= len(f.history[drop].Raw)
		f.from = f.history[drop].Position
		f.history[drop] = Event{} // the array lives on for a while
		drop++
	}
	f.history = f.history[drop:]
	f.head = head
	f.tell()
}

// restart forgets everything: the tailer is to look anew, and followers have to
// ask where they stand.
func (f *feed) restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.head, f.history, f.bytes = -1, nil, 0
	f.life++
	f.tell()
}

// tell wakes who waits for a change. Called under mu.
func (f *feed) tell() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// now is the head, in which life, and what is closed when one of them changes.
func (f *feed) now() (head int64, life int, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head, f.life, f.changed
}

// since gives at most limit events after a position, and up to where they are
// all; ok is false when history does not reach back so far.
func (f *feed) since(after int64, limit int) (events []Event, upTo int64, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if after < f.from {
		return nil, 0, false
	}
	first := sort.Search(len(f.history), func(i int) bool { return f.history[i].Position > after })
	last := min(first+limit, len(f.history))
	events = append([]Event(nil), f.history[first:last]...)
	if last < len(f.history) {
		return events, events[len(events)-1].Position, true
	}
	return events, max(after, f.head), true
}
