//go:build linux && (amd64 || arm64)

// Package sweep ends processes that no namespace holds together: all that
// descend from one, or belong to one user. It reads /proc and signals each by
// itself, and never a group or everybody.
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

// all lists the processes that this one can see.
func all() []process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer func() { _ = dir.Close() }()
	names, _ := dir.Readdirnames(-1)
	out := make([]process, 0, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		raw, err := os.ReadFile("/proc/" + name + "/status")
		if err != nil {
			continue // gone meanwhile
		}
		if p, ok := parse(pid, string(raw)); ok {
			out = append(out, p)
		}
	}
	return out
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
	return p, seen == 3
}

// Find returns the living processes that descend from root, without root, and
// those of the user uid, if that is one of its own; this process is never among
// them.
func Find(root, uid int) []int { return find(root, uid, false) }

func find(root, uid int, dead bool) []int {
	processes := all()
	of := map[int]bool{root: root > 1}
	for grown := root > 1; grown; {
		grown = false
		for _, p := range processes {
			if of[p.parent] && !of[p.pid] {
				of[p.pid], grown = true, true
			}
		}
	}
	var out []int
	for _, p := range processes {
		mine := of[p.pid] && p.pid != root || uid >= ownUID && p.uid == uid
		if mine && (dead || !p.dead) && p.pid > 1 && p.pid != os.Getpid() {
			out = append(out, p.pid)
		}
	}
	return out
}

// Threads counts those of a user, as the kernel does for RLIMIT_NPROC.
func Threads(uid int) (n int) {
	for _, p := range all() {
		if p.uid == uid {
			n += p.threads
		}
	}
	return n
}

// rounds bound the hunt for processes that fork while they are hunted.
const rounds = 100

// End kills what Find finds. All are stopped first, so that none can fork away
// from the list. It reports whether the hunt came to an end.
func End(root, uid int) bool { return end(root, uid, func() bool { return true }) }

// EndBelow kills what descends from root and leaves root alone. It reports
// false where that can't be seen to have come to pass. held says that root's
// number is still that process's: it is asked after each look, so that nobody
// dies for having got the number of another.
func EndBelow(root int, held func() bool) bool {
	if _, err := os.Stat("/proc/" + strconv.Itoa(root)); err != nil {
		return false
	}
	return end(root, 0, held)
}

func end(root, uid int, held func() bool) bool {
	// By descriptor, as a number may be another's once its process is dead.
	stopped := map[int]int{}
	defer func() {
		for _, fd := range stopped {
			_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
			_ = unix.Close(fd)
		}
	}()
	for range rounds {
		fresh := map[int]int{}
		for _, pid := range Find(root, uid) {
			if _, known := stopped[pid]; known {
				continue
			}
			if fd, err := unix.PidfdOpen(pid, 0); err == nil {
				fresh[pid] = fd
			} else if !errors.Is(err, unix.ESRCH) {
				return false
			}
		}
		if !held() {
			closeAll(fresh)
			return false
		}
		if len(fresh) == 0 {
			return true
		}
		// Those that are still found are those whose descriptors these are.
		still := Find(root, uid)
		for pid, fd := range fresh {
			if !slices.Contains(still, pid) {
				_ = unix.Close(fd)
				continue
			}
			_ = unix.PidfdSendSignal(fd, unix.SIGSTOP, nil, 0)
			stopped[pid] = fd
		}
	}
	return false
}

func closeAll(fds map[int]int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
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
