//go:build linux && (amd64 || arm64)

package sandbox

import (
	"os"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// deadBody is a pid 1 whose frames are written by the test.
type deadBody struct{}

func (deadBody) pid() int        { return 0 }
func (deadBody) kill()           {}
func (deadBody) wait() ending    { return ending{} }
func (deadBody) endOthers() bool { return true }
func (deadBody) close()          {}

// On a busy machine the program may be over before the one who waits for its
// start gets a turn, and collecting its files may take time after it.
func TestTheClockCountsFromTheExecToTheEndWhoeverLooksLate(t *testing.T) {
	ours, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	m := &room{
		body: deadBody{}, control: ours, capture: &capture{},
		ready: make(chan struct{}), warmed: make(chan struct{}), started: make(chan struct{}), ended: make(chan struct{}), gone: make(chan struct{}),
	}
	m.frameLimit.Store(smallFrame)
	say := func(kind wire.Kind, body []byte) {
		t.Helper()
		if err := wire.WriteFrame(theirs, kind, body); err != nil {
			t.Fatal(err)
		}
	}
	go m.read()
	say(wire.KindStarted, nil)
	say(wire.KindExited, wire.Exited{}.Encode())
	<-m.ended
	over := time.Now()
	say(wire.KindDone, wire.Done{}.Encode())
	_ = theirs.Close()
	<-m.gone
	got, err := m.result()
	if err != nil || got.Wall <= 0 {
		t.Errorf("it took %v, %v", got.Wall, err)
	}
	if m.diedAt.After(over) {
		t.Error("what came after the program's end counts as its time")
	}
}
