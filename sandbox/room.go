//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/cgroup"
	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// roomSpec is what a room is opened for; process is nil for one that is only
// built.
type roomSpec struct {
	role    string
	process *Process
	mounts  []wire.Mount
	limits  Limits
	channel *os.File
	met     func(role string, o Outcome)
}

// room is one sandbox seen from the host. Its reader goroutine owns the fields
// below the line; others read them after gone.
type room struct {
	spec     roomSpec
	runner   *Runner
	slot     int
	proc     *os.Process
	control  *os.File
	stderr   *os.File // what pid 1 itself says when it panics
	group    *cgroup.Group
	joined   chan error
	sent     chan struct{}
	capture  *capture
	sampler  sampler
	closeErr error
	closing  sync.Once

	ready, started, ended, gone chan struct{}

	mu      sync.Mutex
	outcome Outcome

	// owned by read
	exited    *wire.Exited
	files     []File
	truncated bool
	fail      *wire.Fail
	state     *os.ProcessState
	diedAt    time.Time
	lost      error

	// blind is set by watch, when it can't see what it has to limit.
	blind error
}

// stopPatience is what pid 1 gets to end its processes and say so, before it is
// killed and they with it.
const stopPatience = 60 * time.Millisecond

// collectPatience bounds what pid 1 does after everything else is dead.
const collectPatience = 5 * time.Second

// read follows pid 1 to its end. It never trusts a length: pid 1 passes on what
// a payload wrote.
func (m *room) read() {
	defer close(m.gone)
	limit := int(m.spec.limits.Collect) + 1<<16
	r := bufio.NewReader(m.control)
	for {
		kind, body, err := wire.ReadFrame(r, limit)
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
	m.state, _ = m.proc.Wait()
	m.diedAt = time.Now()
	closeOnce(m.ended)
	m.capture.wait()
}

func (m *room) take(kind wire.Kind, body []byte) error {
	switch kind {
	case wire.KindReady:
		closeOnce(m.ready)
	case wire.KindStarted:
		closeOnce(m.started)
	case wire.KindExited:
		x, err := wire.DecodeExited(body)
		if err != nil {
			return err
		}
		m.exited = &x
		m.diedAt = time.Now()
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
		m.truncated = d.CollectTruncated
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
	if err := wire.WriteFrame(m.control, wire.KindGo, nil); err != nil {
		<-m.gone
		return m.failure()
	}
	return nil
}

// stop ends the room for a reason; the first reason counts.
func (m *room) stop(o Outcome) {
	select {
	case <-m.ended:
		// It came to its own end first.
		return
	default:
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
	if m.spec.met != nil {
		m.spec.met(m.spec.role, o)
	}
	// A pid 1 that is starved of CPU can't obey in time; its death is certain.
	_ = m.control.SetWriteDeadline(time.Now().Add(stopPatience / 2))
	if wire.WriteFrame(m.control, wire.KindStop, nil) != nil {
		m.kill()
		return
	}
	time.AfterFunc(stopPatience, func() {
		select {
		case <-m.ended:
		default:
			m.kill()
		}
	})
}

func (m *room) stopped() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.outcome != ""
}

// kill ends pid 1, and the kernel then ends everything in its namespace.
func (m *room) kill() { _ = m.proc.Kill() }

// close waits for the end and gives back what the room took. Call kill first.
func (m *room) close() error {
	m.closing.Do(func() {
		<-m.gone
		<-m.joined
		_ = m.control.Close()
		_ = m.stderr.Close()
		m.sampler.close()
		if m.group != nil {
			m.closeErr = m.group.Remove()
		}
		m.runner.slots <- m.slot
	})
	return m.closeErr
}

// failure explains a room that ended before its program did.
func (m *room) failure() error {
	if m.fail == nil {
		text := make([]byte, 4096)
		_ = m.stderr.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		n, _ := m.stderr.Read(text)
		err := errors.New("pid 1 of the sandbox died")
		if m.lost != nil {
			err = fmt.Errorf("pid 1 of the sandbox was lost: %w", m.lost)
		}
		if m.state != nil {
			err = fmt.Errorf("%w (%s)", err, m.state)
		}
		if n > 0 {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(text[:n])))
		}
		return err
	}
	cause := errors.New("refused")
	if m.fail.Errno != 0 {
		cause = unix.Errno(m.fail.Errno)
	}
	switch m.fail.Stage {
	case wire.StageExec:
		return &StartError{Role: m.spec.role, Path: m.fail.Text, Err: cause}
	case wire.StageFiles:
		return fmt.Errorf("write %s into the sandbox: %w", m.fail.Text, cause)
	default:
		return fmt.Errorf("prepare sandbox: %s: %s: %w", m.fail.Stage, m.fail.Text, cause)
	}
}

// result is called after gone.
func (m *room) result(started time.Time) (ProcessResult, error) {
	p := ProcessResult{Role: m.spec.role, Outcome: Exited, ExitCode: -1, Files: m.files, FilesTruncated: m.truncated}
	p.Stdout, p.Stderr, p.Truncated = m.capture.result()
	p.Wall = m.diedAt.Sub(started)
	p.CPU, p.MaxRSS = m.usage()
	m.mu.Lock()
	stopped := m.outcome
	m.mu.Unlock()
	var kills int64
	if m.group != nil {
		kills, _ = m.group.OOMKills()
	}
	if m.exited != nil {
		status := unix.WaitStatus(m.exited.Status)
		if status.Exited() {
			p.ExitCode = status.ExitStatus()
		}
		if status.Signaled() {
			p.Signal = int(status.Signal())
		}
	} else {
		p.Signal = int(unix.SIGKILL)
	}
	switch {
	case m.blind != nil:
		return p, m.blind
	case stopped != "":
		p.Outcome = stopped
	case kills > 0:
		p.Outcome = OutOfMemory
	case p.Truncated:
		p.Outcome = OutputLimit
	case p.CPU > m.spec.limits.CPU || p.Signal == int(unix.SIGXCPU):
		p.Outcome = TimedOut
	case m.fail != nil || m.lost != nil || m.exited == nil:
		return p, m.failure()
	}
	if p.Outcome != Exited {
		m.spec.met(m.spec.role, p.Outcome)
	}
	return p, nil
}

func (m *room) usage() (cpu time.Duration, memory int64) {
	cpu, memory = m.sampler.cpu, m.sampler.memory
	if m.exited != nil {
		cpu = max(cpu, m.exited.User+m.exited.System)
		memory = max(memory, m.exited.MaxRSS)
	} else if m.state != nil {
		cpu = max(cpu, m.state.UserTime()+m.state.SystemTime())
	}
	if m.group == nil {
		return cpu, memory
	}
	if used, ok := m.group.CPU(); ok {
		cpu = used
	}
	if peak := m.group.PeakMemory(); peak > 0 {
		memory = peak
	}
	return cpu, memory
}
