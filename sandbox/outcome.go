//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

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
		if m.end.how != "" {
			err = fmt.Errorf("%w (%s)", err, m.end.how)
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
		return &StartError{Role: m.task.role, Path: m.fail.Text, Err: cause}
	case wire.StageFiles:
		return fmt.Errorf("write %s into the sandbox: %w", m.fail.Text, cause)
	default:
		return fmt.Errorf("prepare sandbox: %s: %s: %w", m.fail.Stage, m.fail.Text, cause)
	}
}

// result is called after gone.
func (m *room) result() (ProcessResult, error) {
	p := ProcessResult{Role: m.task.role, Outcome: Exited, ExitCode: -1, Files: m.files, FilesTruncated: m.truncated || !m.collected && len(m.task.process.Collect) > 0}
	p.Stdout, p.Stderr, p.Truncated = m.capture.result()
	p.Wall = m.diedAt.Sub(m.startedAt)
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
	case p.CPU > m.task.limits.CPU || p.Signal == int(unix.SIGXCPU):
		p.Outcome = TimedOut
	case m.fail != nil || m.lost != nil || m.exited == nil:
		return p, m.failure()
	case !m.collected:
		// Half of what it wrote would be taken for all of it.
		return p, fmt.Errorf("collect the program's files: %w", m.failure())
	}
	if p.Outcome != Exited {
		m.task.met(m.task.role, p.Outcome)
	}
	return p, nil
}

// usage leaves out what was used before the job.
func (m *room) usage() (cpu time.Duration, memory int64) {
	cpu, memory = m.sampler.used(), m.sampler.memory
	if m.exited != nil {
		cpu = max(cpu, m.exited.User+m.exited.System)
		memory = max(memory, m.exited.MaxRSS)
	} else {
		cpu = max(cpu, m.end.cpu-m.before)
	}
	if m.group == nil {
		return cpu, memory
	}
	if used, ok := m.group.CPU(); ok {
		cpu = used - m.before
	}
	if peak := m.group.PeakMemory(); peak > 0 {
		memory = peak
	}
	return cpu, memory
}
