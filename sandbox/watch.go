//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// watchInterval is short enough that a limit is met, noticed and enforced within
// a tenth of a second.
const watchInterval = 20 * time.Millisecond

// watch enforces from outside what the kernel doesn't by itself. It runs on the
// host, where a payload can't slow it down.
func (m *room) watch(ctx context.Context) {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	begun := time.Now()
	failures := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.ended:
			return
		case <-tick.C:
		}
		o, err := m.look(time.Since(begun))
		if o != "" {
			m.stop(o)
			return
		}
		if err == nil {
			failures = 0
			continue
		}
		// A room that is going away can't be read either, but not for long.
		if failures++; failures > maxBlindLooks {
			m.blind = fmt.Errorf("watch the sandbox: %w", err)
			m.kill()
			return
		}
	}
}

// beforehand notes what a warm-up program has used, which is not its job's.
func (m *room) beforehand() error {
	if m.spec.warm == nil && m.spec.from == nil && m.runner.guest == nil {
		return nil
	}
	if err := m.hurry(); err != nil {
		return err
	}
	if m.group != nil {
		if used, ok := m.group.CPU(); ok {
			m.before = used
			return nil
		}
	}
	if err := m.sampler.sample(m.body.pid(), false); err != nil {
		return fmt.Errorf("look at the warm-up program: %w", err)
	}
	m.sampler.before = m.sampler.cpu
	m.before = m.sampler.cpu
	return nil
}

// maxBlindLooks is how often the watch may fail before the room is taken down:
// a limit that nobody sees is none.
const maxBlindLooks = 10

// look returns the limit that was met, if any.
func (m *room) look(elapsed time.Duration) (Outcome, error) {
	l := m.task.limits
	if m.group != nil {
		kills, err := m.group.OOMKills()
		if err != nil {
			return "", err
		}
		if kills > 0 {
			return OutOfMemory, nil
		}
	}
	// So much CPU can't have been used yet.
	cpuPossible := elapsed*time.Duration(runtime.NumCPU()) >= l.CPU
	if m.group != nil {
		if !cpuPossible {
			return "", nil
		}
		if used, ok := m.group.CPU(); ok {
			if used-m.before > l.CPU {
				return TimedOut, nil
			}
			return "", nil
		}
	}
	if err := m.sampler.sample(m.body.pid(), m.group == nil); err != nil {
		return "", err
	}
	if m.runner.guest != nil {
		l.Memory += guestMemory
	}
	if m.group == nil && m.sampler.now > l.Memory {
		return OutOfMemory, nil
	}
	if m.sampler.used() > l.CPU {
		return TimedOut, nil
	}
	return "", nil
}

// sampler adds up a room's processes through the room's own /proc. It belongs
// to the watch; others read it after gone.
type sampler struct {
	dir *os.File
	// tree asks for those that descend from the first process, or are the
	// user's, where no namespace holds them.
	tree   bool
	uid    int
	cpu    time.Duration
	before time.Duration // of cpu, what doesn't count
	now    int64
	memory int64 // peak of now
}

func (s *sampler) used() time.Duration { return s.cpu - s.before }

func (s *sampler) close() {
	if s.dir != nil {
		_ = s.dir.Close()
		s.dir = nil
	}
}

// userHZ is the unit of times in /proc on every architecture built for.
const userHZ = 100

func (s *sampler) sample(pid int, memory bool) error {
	if s.dir == nil {
		// The host's own /proc has to be searched for the room's pids.
		place := fmt.Sprintf("/proc/%d/root/proc", pid)
		if s.tree {
			place = "/proc"
		}
		dir, err := os.Open(place)
		if err != nil {
			return err
		}
		s.dir = dir
	}
	first := "1"
	names, err := s.list(pid)
	if err != nil {
		return err
	}
	if s.tree {
		first = names[0]
	}
	var ticks, anon, shared int64
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		if raw, err := s.read(name + "/stat"); err == nil {
			ticks += parseTicks(raw)
		}
		if memory && name != first {
			if raw, err := s.read(name + "/status"); err == nil {
				a, sh := parseResident(raw)
				anon += a
				// Mapped by several, it exists once.
				shared = max(shared, sh)
			}
		}
	}
	s.cpu = max(s.cpu, time.Duration(ticks)*time.Second/userHZ)
	s.now = anon + shared
	s.memory = max(s.memory, s.now)
	return nil
}

// list names the room's processes.
func (s *sampler) list(pid int) ([]string, error) {
	if s.tree {
		return listTree(pid, s.uid), nil
	}
	if _, err := s.dir.Seek(0, 0); err != nil {
		return nil, err
	}
	return s.dir.Readdirnames(-1)
}

func (s *sampler) read(name string) (string, error) {
	fd, err := unix.Openat(int(s.dir.Fd()), name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = unix.Close(fd) }()
	buf := make([]byte, 8192)
	n, err := unix.Read(fd, buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

// parseTicks adds the user and system times of a process and of its children
// that were waited for. The name in parentheses is the payload's to choose, so
// fields are counted from its last closing one.
func parseTicks(stat string) int64 {
	i := strings.LastIndexByte(stat, ')')
	if i < 0 {
		return 0
	}
	fields := strings.Fields(stat[i+1:])
	const utime, cstime = 11, 14
	if len(fields) <= cstime {
		return 0
	}
	var sum int64
	for _, f := range fields[utime : cstime+1] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err == nil && n > 0 {
			sum += n
		}
	}
	return sum
}

// parseResident reads anonymous and shared memory, in bytes. A name can't forge
// a line: the kernel escapes newlines in it.
func parseResident(status string) (anon, shared int64) {
	for line := range strings.Lines(status) {
		name, value, ok := strings.Cut(line, ":")
		if !ok || (name != "RssAnon" && name != "RssShmem") {
			continue
		}
		kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil || kb < 0 || kb > 1<<50 {
			continue
		}
		if name == "RssAnon" {
			anon += kb << 10
		} else {
			shared += kb << 10
		}
	}
	return anon, shared
}
