//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/goals-tracker/tracker/sandbox/internal/cgroup"
	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// roomSpec is what a room is built for, before its job is known.
type roomSpec struct {
	mounts []wire.Mount
	// limits are those of the group and of the file system until a job brings
	// others.
	limits Limits
	// stdin asks for a pipe even if it may not be used.
	stdin   bool
	channel *os.File
	// beside are the files in WarmDir.
	beside []File
	// warm is the program that waits in the room; nil for none.
	warm *WarmUp
	// server is set for a fork-server's own room.
	server bool
	// from is the fork-server whose child the room is; nil for none.
	from *zygote
}

// task is what a room does.
type task struct {
	role    string
	process *Process
	limits  Limits
	met     func(role string, o Outcome)
}

// room is one sandbox seen from the host. Its reader goroutine owns the fields
// below the line; others read them after gone.
type room struct {
	spec    roomSpec
	runner  *Runner
	slot    int
	body    body
	control *os.File
	stderr  *os.File    // what pid 1 itself says when it panics
	outputs [2]*os.File // the payload's, until there is a task
	stdin   *os.File
	group   *cgroup.Group
	joined  chan error
	booted  chan struct{} // the description was sent
	sent    chan struct{} // so was the job
	sampler sampler
	closing sync.Once

	closeErr   error
	frameLimit atomic.Int64

	ready, warmed, started, ended, gone chan struct{}

	// halted says that the host has ended all but pid 1; haltedAt is set before.
	halted   chan struct{}
	haltedAt time.Time

	mu      sync.Mutex
	task    task
	capture *capture
	dead    bool
	outcome Outcome
	// before is the CPU time of everything before the job.
	before time.Duration

	// owned by read
	exited    *wire.Exited
	files     []File
	truncated bool
	collected bool // all that was to be
	fail      *wire.Fail
	end       ending
	startedAt time.Time
	diedAt    time.Time
	lost      error

	// blind is set by watch, when it can't see what it has to limit.
	blind error
}

// stopPatience is what pid 1 gets to end its processes and say so, before the
// host ends them itself, or, where it can't, pid 1 and they with it.
const stopPatience = 60 * time.Millisecond

// huntPatience bounds how long the host looks for processes that flee, before it
// gives up pid 1 and what they wrote.
const huntPatience = 500 * time.Millisecond

// collectPatience bounds each thing that pid 1 does after everything else is dead.
const collectPatience = 5 * time.Second

// smallFrame is what pid 1 says apart from collected files.
const smallFrame = 1 << 16

// read follows pid 1 to its end. It never trusts a length: pid 1 passes on what
// a payload wrote.
func (m *room) read() {
	defer close(m.gone)
	r := bufio.NewReader(m.control)
	for {
		kind, body, err := wire.ReadFrame(r, int(m.frameLimit.Load()))
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
				m.lost = err
			}
			break
		}
		if err := m.take(kind, body); err != nil {
			m.lost = err
			break
		}
	}
	m.kill()
	m.end = m.body.wait()
	if m.exited == nil {
		m.diedAt = m.died()
	}
	closeOnce(m.ended)
	m.mu.Lock()
	m.dead = true
	capture := m.capture
	m.mu.Unlock()
	if capture != nil {
		capture.wait()
	}
}

func (m *room) take(kind wire.Kind, body []byte) error {
	switch kind {
	case wire.KindReady:
		closeOnce(m.ready)
	case wire.KindWarmed:
		closeOnce(m.warmed)
	case wire.KindStarted:
		// Not where the run goes on, which may be after the program's end.
		m.startedAt = time.Now()
		closeOnce(m.started)
	case wire.KindExited:
		x, err := wire.DecodeExited(body)
		if err != nil {
			return err
		}
		m.exited = &x
		m.diedAt = m.died()
		closeOnce(m.ended)
		time.AfterFunc(collectPatience, m.kill)
	case wire.KindCollected:
		f, err := wire.DecodeFile(body)
		if err != nil {
			return err
		}
		m.files = append(m.files, File{Path: f.Path, Content: f.Content, Executable: f.Executable})
	case wire.KindDone:
		d, err := wire.DecodeDone(body)
		if err != nil {
			return err
		}
		m.truncated, m.collected = d.CollectTruncated, true
	case wire.KindFail:
		f, err := wire.DecodeFail(body)
		if err != nil {
			return err
		}
		m.fail = &f
	default:
		return fmt.Errorf("%w: kind %d from pid 1", wire.ErrMalformed, kind)
	}
	return nil
}

// died is when the last process ended, as far as the host knows.
func (m *room) died() time.Time {
	select {
	case <-m.halted:
		return m.haltedAt
	default:
		return time.Now()
	}
}

// closeOnce is only called by read, so the check is enough.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// waitReady returns when the room stands.
func (m *room) waitReady(ctx context.Context) error { return m.wait(ctx, m.ready) }

// waitStarted returns when the program was executed.
func (m *room) waitStarted(ctx context.Context) error { return m.wait(ctx, m.started) }

func (m *room) wait(ctx context.Context, event chan struct{}) error {
	select {
	case <-event:
		return nil
	case <-m.gone:
		select {
		case <-event:
			return nil
		default:
			return m.failure()
		}
	case <-ctx.Done():
		return fmt.Errorf("prepare sandbox: %w", ctx.Err())
	}
}

// start lets the program run, once the process is in its cgroup.
func (m *room) start() error {
	if err := <-m.joined; err != nil {
		return err
	}
	<-m.sent
	if err := m.beforehand(); err != nil {
		return err
	}
	if err := wire.WriteFrame(m.control, wire.KindGo, nil); err != nil {
		<-m.gone
		return m.failure()
	}
	return nil
}

// stop ends the room for a reason; the first reason counts.
func (m *room) stop(o Outcome) {
	if m.over() {
		return // it came to its own end first
	}
	m.mu.Lock()
	first := m.outcome == ""
	if first {
		m.outcome = o
	}
	m.mu.Unlock()
	if !first {
		return
	}
	if m.task.met != nil {
		m.task.met(m.task.role, o)
	}
	_ = m.control.SetWriteDeadline(time.Now().Add(stopPatience / 2))
	if wire.WriteFrame(m.control, wire.KindStop, nil) != nil {
		m.kill()
		return
	}
	time.AfterFunc(stopPatience, m.halt)
}

// halt ends what pid 1 was told to end and has not, as it may be starved of CPU,
// and leaves it alive to hand out what was written.
func (m *room) halt() {
	if m.over() {
		return
	}
	if m.body.endOthers() != nil {
		m.kill()
		return
	}
	m.haltedAt = time.Now()
	close(m.halted)
	time.AfterFunc(collectPatience, func() {
		if !m.over() {
			m.kill()
		}
	})
}

// over says that pid 1 has told of the end, or is gone.
func (m *room) over() bool {
	select {
	case <-m.ended:
		return true
	default:
		return false
	}
}

func (m *room) stopped() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.outcome != ""
}

// kill ends pid 1, and the kernel then ends everything in its namespace.
func (m *room) kill() { m.body.kill() }

// close waits for the end and gives back what the room took. Call kill first.
func (m *room) close() error {
	m.closing.Do(func() {
		<-m.gone
		<-m.joined
		closeAll([]*os.File{m.control, m.stderr})
		if m.stdin != nil {
			_ = m.stdin.Close()
		}
		if m.capture == nil {
			closeAll(m.outputs[:])
		}
		m.sampler.close()
		m.body.close()
		if m.group != nil {
			m.closeErr = m.group.Remove()
		}
		if m.spec.from != nil {
			m.closeErr = errors.Join(m.closeErr, m.spec.from.release())
		}
		m.runner.slots <- m.slot
	})
	return m.closeErr
}
