//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// warmTimeout is what a warm-up program gets until it says that it is ready.
const warmTimeout = 20 * time.Second

// readyLine is all that a warm-up program may write before its job.
const readyLine = "ready\n"

// warmUp starts the warm-up program of a room that stands, and returns when it
// waits for its job.
func (m *room) warmUp(ctx context.Context, env ...string) error {
	ctx, cancel := context.WithTimeout(ctx, m.runner.warmPatience)
	defer cancel()
	if err := <-m.joined; err != nil {
		return err
	}
	w := m.spec.warm
	job := wire.Job{
		Program: w.Argv[0], Argv: w.Argv, Env: mergeEnv(BaseEnv(), w.Env, env), Dir: WarmDir, Stdin: true, Channel: m.spec.channel != nil,
		Rlimits: m.warmRlimits(), Filter: m.runner.filter, Nice: m.runner.cfg.Nice,
	}
	if m.spec.server {
		job.Filter = m.runner.serverFilter
	} else if m.runner.yields {
		job.Nice = m.runner.warmNice()
	}
	if err := wire.WriteFrame(m.control, wire.KindWarm, job.Encode()); err != nil {
		<-m.gone
		return m.failure()
	}
	if err := m.wait(ctx, m.warmed); err != nil {
		return err
	}
	said := make(chan error, 1)
	go func() { said <- readReady(m.outputs[0]) }()
	select {
	case err := <-said:
		// What it wrote until now is not the job's.
		noise := drain(m.outputs[1])
		if err != nil {
			return fmt.Errorf("warm-up program %s: %w: %s", strings.Join(w.Argv, " "), err, noise)
		}
		return nil
	case <-m.gone:
		err := m.failure()
		return fmt.Errorf("warm-up program %s: %w: %s", strings.Join(w.Argv, " "), err, drain(m.outputs[1]))
	case <-ctx.Done():
		return fmt.Errorf("warm-up program %s did not say that it is ready: %w: %s", strings.Join(w.Argv, " "), ctx.Err(), drain(m.outputs[1]))
	}
}

// warmNice lets steps that run go before programs that only get ready to.
func (r *Runner) warmNice() int { return min(r.cfg.Nice+10, 19) }

func setNice(thread, nice int) error { return unix.Setpriority(unix.PRIO_PROCESS, thread, nice) }

// hurry gives a warm-up program the priority of its job. A thread that begins
// meanwhile is found on the second look.
func (m *room) hurry() error {
	if m.spec.warm == nil || !m.runner.yields {
		return nil
	}
	for range 2 {
		threads, err := m.group.Threads()
		if err != nil {
			return err
		}
		for _, thread := range threads {
			if err := setNice(thread, m.runner.cfg.Nice); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("give the warm-up program its priority: %w", err)
			}
		}
	}
	return nil
}

// warmRlimits leave the hard limits that come with the job, as a normal user
// can't raise them again.
func (m *room) warmRlimits() []wire.Rlimit {
	soft := func(resource int, value int) wire.Rlimit {
		return wire.Rlimit{Resource: resource, Soft: uint64(value), Hard: unix.RLIM_INFINITY}
	}
	l := m.spec.limits
	limits := append(fixedRlimits(), soft(unix.RLIMIT_NOFILE, l.OpenFiles))
	if m.spec.server {
		// It counts against all that it forks.
		return limits
	}
	limits = append(limits, soft(unix.RLIMIT_NPROC, l.Processes))
	if m.group == nil {
		limits = append(limits, soft(unix.RLIMIT_DATA, int(dataLimit(l))))
	}
	return limits
}

func readReady(f *os.File) error {
	line := make([]byte, len(readyLine))
	n, err := io.ReadFull(f, line)
	switch {
	case n > 0 && string(line[:n]) != readyLine[:n]:
		return fmt.Errorf("it wrote %q where %q is expected", line[:n], readyLine)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it closed its output before it was ready")
	}
	return err
}

// drain takes what is in a pipe without waiting.
func drain(f *os.File) string {
	conn, err := f.SyscallConn()
	if err != nil {
		return ""
	}
	var text []byte
	buf := make([]byte, 4096)
	_ = conn.Control(func(fd uintptr) {
		for {
			n, err := unix.Read(int(fd), buf)
			if n <= 0 || err != nil {
				return
			}
			if len(text) < len(buf) {
				text = append(text, buf[:n]...)
			}
		}
	})
	return strings.TrimSpace(string(text))
}

// handOver is the line that a warm-up program waits for.
type handOver struct {
	Argv []string          `json:"argv"`
	Env  map[string]string `json:"env"`
	Dir  string            `json:"dir"`
}

// feedWarm writes the line once limits and files are in place, and the process's
// standard input when the line was read, so that it can be read in one go.
func (m *room) feedWarm() {
	defer func() { _ = m.stdin.Close() }()
	select {
	case <-m.started:
	case <-m.gone:
		return
	}
	p := m.task.process
	env := map[string]string{}
	for _, entry := range mergeEnv(BaseEnv(), p.Env) {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	line, err := json.Marshal(handOver{Argv: p.Argv, Env: env, Dir: p.dir()})
	if err != nil {
		m.kill() // it can't happen: these are strings
		return
	}
	if _, err := m.stdin.Write(append(line, '\n')); err != nil || len(p.Stdin) == 0 {
		return
	}
	if m.untilRead() {
		_, _ = m.stdin.Write(p.Stdin)
	}
}

// untilRead waits until the pipe is empty; the kernel tells nobody.
func (m *room) untilRead() bool {
	conn, err := m.stdin.SyscallConn()
	if err != nil {
		return false
	}
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for {
		left := 0
		if conn.Control(func(fd uintptr) { left, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) }) != nil || err != nil {
			return false
		}
		if left == 0 {
			return true
		}
		select {
		case <-tick.C:
		case <-m.gone:
			return false
		}
	}
}
