//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/sweep"
)

// body is a room's pid 1 as the host holds it. Its death is the room's.
type body interface {
	pid() int
	kill()
	// endOthers ends all but pid 1 from outside. An error says that some may live.
	endOthers() error
	// wait returns when nothing of the room is alive. It is called once.
	wait() ending
	// close lets go of it after wait.
	close()
}

// ending is what is known of a dead pid 1.
type ending struct {
	how string
	// cpu includes all that it waited for.
	cpu time.Duration
}

// ownBody is a child of this process.
type ownBody struct{ proc *os.Process }

func (b ownBody) pid() int { return b.proc.Pid }
func (b ownBody) kill()    { _ = b.proc.Kill() }
func (ownBody) close()     {}

// endOthers asks for the child's number as long as nobody has waited for it.
func (b ownBody) endOthers() error {
	return sweep.EndBelow(b.proc.Pid, func() bool { return b.proc.Signal(syscall.Signal(0)) == nil }, huntPatience)
}

func (b ownBody) wait() ending {
	state, err := b.proc.Wait()
	if err != nil {
		return ending{}
	}
	return ending{how: state.String(), cpu: state.UserTime() + state.SystemTime()}
}

// forkedBody is the child of a fork-server. The descriptor names the process for
// good, as its number may be another's as soon as it is dead.
type forkedBody struct {
	number int
	fd     *os.File
}

func openBody(pid int) (*forkedBody, error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch the forked process: %w", err)
	}
	return &forkedBody{number: pid, fd: os.NewFile(uintptr(fd), "pidfd")}, nil
}

func (b *forkedBody) pid() int { return b.number }
func (b *forkedBody) close()   { _ = b.fd.Close() }

func (b *forkedBody) kill() {
	conn, err := b.fd.SyscallConn()
	if err != nil {
		return // closed, so it is dead
	}
	_ = conn.Control(func(fd uintptr) { _ = unix.PidfdSendSignal(int(fd), unix.SIGKILL, nil, 0) })
}

func (b *forkedBody) endOthers() error {
	return sweep.EndBelow(b.number, func() bool {
		conn, err := b.fd.SyscallConn()
		if err != nil {
			return false // closed, so it is dead
		}
		there := false
		_ = conn.Control(func(fd uintptr) { there = unix.PidfdSendSignal(int(fd), 0, nil, 0) == nil })
		return there
	}, huntPatience)
}

// wait can only learn that it is dead: a parent alone is told more. The kernel
// shows the end of pid 1 when everything in its namespace has ended.
func (b *forkedBody) wait() ending {
	conn, err := b.fd.SyscallConn()
	if err != nil {
		return ending{how: err.Error()}
	}
	err = conn.Read(func(fd uintptr) bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
	})
	if err != nil {
		return ending{how: err.Error()}
	}
	return ending{}
}
