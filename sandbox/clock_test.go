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

func (deadBody) pid() int         { return 0 }
func (deadBody) kill()            {}
func (deadBody) wait() ending     { return ending{} }
func (deadBody) endOthers() error { return nil }
func (deadBody) close()           {}

// scripted is a room whose pid 1 says what the test says.
func scripted(t *testing.T) (m *room, pid1 *os.File, say func(wire.Kind, []byte)) {
	t.Helper()
	ours, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAll([]*os.File{ours, theirs, stderr}) })
	m = &room{
		body: deadBody{}, control: ours, stderr: stderr, capture: &capture{},
		ready: make(chan struct{}), warmed: make(chan struct{}), started: make(chan struct{}), halted: make(chan struct{}), ended: make(chan struct{}), gone: make(chan struct{}),
	}
	m.task = task{limits: DefaultLimits(), process: &Process{Collect: []string{"**"}}, met: func(string, Outcome) {}}
	m.frameLimit.Store(smallFrame)
	go m.read()
	return m, theirs, func(kind wire.Kind, body []byte) {
		t.Helper()
		if err := wire.WriteFrame(theirs, kind, body); err != nil {
			t.Fatal(err)
		}
	}
}

// On a busy machine the program may be over before the one who waits for its
// start gets a turn, and collecting its files may take time after it.
func TestTheClockCountsFromTheExecToTheEndWhoeverLooksLate(t *testing.T) {
	m, pid1, say := scripted(t)
	say(wire.KindStarted, nil)
	say(wire.KindExited, wire.Exited{}.Encode())
	<-m.ended
	over := time.Now()
	say(wire.KindDone, wire.Done{}.Encode())
	_ = pid1.Close()
	<-m.gone
	got, err := m.result()
	if err != nil || got.Wall <= 0 {
		t.Errorf("it took %v, %v", got.Wall, err)
	}
	if m.diedAt.After(over) {
		t.Error("what came after the program's end counts as its time")
	}
}

func TestAProgramWhoseFilesAreLostOnTheWayIsNoResult(t *testing.T) {
	m, pid1, say := scripted(t)
	say(wire.KindStarted, nil)
	say(wire.KindExited, wire.Exited{}.Encode())
	say(wire.KindCollected, wire.File{Path: "half", Content: []byte("of it")}.Encode())
	_ = pid1.Close()
	<-m.gone
	if got, err := m.result(); err == nil {
		t.Errorf("half of what it wrote counts as all: %+v", got)
	}
	// Where a limit was met, that is the result, and says what it lacks.
	m.outcome = TimedOut
	if got, err := m.result(); err != nil || !got.FilesTruncated || len(got.Files) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}
