//go:build linux && (amd64 || arm64)

// Package sweep ends processes that no namespace holds together: all that
// descend from one, or belong to one user. It reads /proc and signals each by
// its number, and never a group or everybody.
package sweep

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is what /proc says of one.
type process struct {
	pid, parent int
	uid         int
	threads     int
	dead        bool
}

// ownUID marks users that processes are known by; below it are a system's own.
const ownUID = 1000

// all lists the processes that this one can see. With an error some may be
// missing.
func all() ([]process, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	names, failed := dir.Readdirnames(-1)
	out := make([]process, 0, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		raw, err := os.ReadFile("/proc/" + name + "/status")
		if err != nil {
			if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ESRCH) {
				failed = err
			}
			continue // gone meanwhile
		}
		if p, ok := parse(pid, string(raw)); ok {
			out = append(out, p)
		}
	}
	return out, failed
}

// parse reads a status file. A name can't forge a line: the kernel escapes
// newlines in it.
func parse(pid int, status string) (process, bool) {
	p, seen := process{pid: pid, uid: -1}, 0
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if len(fields) == 0 {
			continue
		}
		switch name {
		case "State":
			p.dead = fields[0] == "Z" || fields[0] == "X"
			seen++
		case "Threads":
			p.threads, _ = strconv.Atoi(fields[0])
		case "PPid":
			p.parent, _ = strconv.Atoi(fields[0])
			seen++
		case "Uid":
			p.uid, _ = strconv.Atoi(fields[0])
			seen++
		}
	}
	p.dead = p.dead && p.threads <= 1 // the first thread may end before the others
	return p, seen == 3
}

// Find returns the living processes that descend from root, without root, and
// those of the user uid, if that is one of its own; this process is never among
// them.
func Find(root, uid int) []int { return find(root, uid, false) }

func find(root, uid int, dead bool) []int {
	processes, _ := all()
	of := below(root, processes)
	var out []int
	for _, p := range processes {
		mine := of[p.pid] && p.pid != root || uid >= ownUID && p.uid == uid
		if mine && (dead || !p.dead) && p.pid > 1 && p.pid != os.Getpid() {
			out = append(out, p.pid)
		}
	}
	return out
}

// below holds root and what descends from it.
func below(root int, processes []process) map[int]bool {
	of := map[int]bool{root: root > 1}
	for grown := root > 1; grown; {
		grown = false
		for _, p := range processes {
			if of[p.parent] && !of[p.pid] {
				of[p.pid], grown = true, true
			}
		}
	}
	return of
}

// Threads counts those of a user, as the kernel does for RLIMIT_NPROC.
func Threads(uid int) (n int) {
	processes, _ := all()
	for _, p := range processes {
		if p.uid == uid {
			n += p.threads
		}
	}
	return n
}

// rounds bound the hunt for processes that fork while they are hunted.
const rounds = 100

// End kills what Find finds. All are stopped first, so that none can fork away
// from the list. By number, unlike EndBelow: bare rooms must end also where there
// are no descriptors of processes.
func End(root, uid int) {
	var stopped []int
	for range rounds {
		fresh := Find(root, uid)
		fresh = slices.DeleteFunc(fresh, func(pid int) bool { return slices.Contains(stopped, pid) })
		if len(fresh) == 0 {
			break
		}
		for _, pid := range fresh {
			_ = unix.Kill(pid, unix.SIGSTOP)
		}
		stopped = append(stopped, fresh...)
	}
	for _, pid := range stopped {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}

// Reaped waits until a first process has taken leave of all that descend from
// it, which others would have to do in its place.
func Reaped(root int, patience time.Duration) {
	for deadline := time.Now().Add(patience); len(find(root, 0, true)) > 0 && time.Now().Before(deadline); {
		<-time.After(time.Millisecond)
	}
}

// Gone waits until Find finds nothing, killing what it finds, and reports
// whether that came to pass.
func Gone(root, uid int, patience time.Duration) bool {
	for deadline := time.Now().Add(patience); ; <-time.After(2 * time.Millisecond) {
		if len(Find(root, uid)) == 0 {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		End(root, uid)
	}
}
