//go:build linux && (amd64 || arm64)

package sweep

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// EndBelow kills what descends from root, leaves root alone and returns nil when
// nothing else can be alive there. held says that root's number is still that
// process's: it is asked after each look, so that nobody dies for having got the
// number of another. Processes that fork away from the hunt for longer than the
// patience are an error.
func EndBelow(root int, held func() bool, patience time.Duration) error {
	if self, _ := os.Readlink("/proc/self"); self != strconv.Itoa(os.Getpid()) {
		return errors.New("/proc shows the processes of another namespace")
	}
	h := hunt{root: root, held: held, known: map[int]int{}}
	defer h.close()
	// Two looks that show the same: in between nobody came and nobody went, and
	// so nobody hid from the looks by passing life on.
	var before map[int]bool
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		found, fresh, err := h.look()
		if err != nil {
			return err
		}
		if len(fresh) > 0 {
			if err := h.stop(fresh); err != nil {
				return err
			}
			before = nil
			continue
		}
		if err := h.signal(unix.SIGKILL); err != nil {
			return err
		}
		if before != nil && maps.Equal(before, found) {
			return nil
		}
		before = found
	}
	return fmt.Errorf("processes came faster than they could be ended for %s", patience)
}

type hunt struct {
	root int
	held func() bool
	// known are those that were stopped: by descriptor, as a number may be
	// another's once its process is dead.
	known map[int]int
}

var errNotHeld = errors.New("the first process is gone")

// look returns what descends from root, dead or alive, without the known ones,
// and those of it that live.
func (h *hunt) look() (found map[int]bool, alive []int, err error) {
	processes, err := all()
	if err != nil {
		return nil, nil, err
	}
	if !slices.ContainsFunc(processes, func(p process) bool { return p.pid == h.root }) {
		return nil, nil, errNotHeld
	}
	of := below(h.root, processes)
	found = map[int]bool{}
	for _, p := range processes {
		if _, known := h.known[p.pid]; known || !of[p.pid] || p.pid == h.root {
			continue
		}
		found[p.pid] = true
		if !p.dead {
			alive = append(alive, p.pid)
		}
	}
	if !h.held() {
		return nil, nil, errNotHeld
	}
	return found, alive, nil
}

// stop keeps processes from forking, and makes them known.
func (h *hunt) stop(fresh []int) error {
	opened := map[int]int{}
	defer func() { closeAll(opened) }()
	for _, pid := range fresh {
		fd, err := unix.PidfdOpen(pid, 0)
		if errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil {
			return err
		}
		opened[pid] = fd
	}
	// Those that are still found are those whose descriptors these are.
	still, _, err := h.look()
	if err != nil {
		return err
	}
	for pid, fd := range opened {
		if !still[pid] {
			continue
		}
		if err := send(fd, unix.SIGSTOP); err != nil {
			return err
		}
		h.known[pid] = fd
		delete(opened, pid)
	}
	return nil
}

func (h *hunt) signal(sig unix.Signal) error {
	for _, fd := range h.known {
		if err := send(fd, sig); err != nil {
			return err
		}
	}
	return nil
}

// close ends what is known, whatever became of the hunt.
func (h *hunt) close() {
	_ = h.signal(unix.SIGKILL)
	closeAll(h.known)
}

// send is content with a process that has gone.
func send(fd int, sig unix.Signal) error {
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

func closeAll(fds map[int]int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}
