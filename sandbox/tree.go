//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/sweep"
)

// treeBody is a first process that no pid namespace ties to the others: they
// are found by their descent, and as root by the user that is theirs alone.
type treeBody struct {
	proc *os.Process
	uid  int // 0 when the user is not theirs alone
	// guest is the first process of a second kernel, whose own are not seen from
	// here.
	guest bool
	// after gives back what the room took of the host.
	after func()

	mu     sync.Mutex
	waited bool
}

// reapPatience is what the first process gets to take leave of the dead, which
// a server that is its container's pid 1 would have to do otherwise.
const reapPatience = time.Second

// treePatience bounds the wait for processes that were killed.
const treePatience = 5 * time.Second

func (b *treeBody) pid() int { return b.proc.Pid }

func (b *treeBody) kill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waited {
		return // its number may be another's
	}
	sweep.End(b.proc.Pid, b.uid)
	sweep.Reaped(b.proc.Pid, reapPatience)
	_ = b.proc.Kill()
}

func (b *treeBody) endOthers() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.guest || b.waited {
		return errors.ErrUnsupported
	}
	return sweep.EndBelow(b.proc.Pid, func() bool { return true }, huntPatience)
}

// wait keeps the first process's number from being given away until all others
// are gone.
func (b *treeBody) wait() ending {
	for unix.Waitid(unix.P_PID, b.proc.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	sweep.Gone(b.proc.Pid, b.uid, treePatience)
	b.waited = true
	return ownBody{b.proc}.wait()
}

func (b *treeBody) close() { b.after() }

// listTree names the processes below a first one, which comes first.
func listTree(pid, uid int) []string {
	others := sweep.Find(pid, uid)
	names := append(make([]string, 0, 1+len(others)), strconv.Itoa(pid))
	for _, other := range others {
		names = append(names, strconv.Itoa(other))
	}
	return names
}
