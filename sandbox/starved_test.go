//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/sweep"
)

// On a busy machine pid 1 may get no turn for longer than the room may outlive
// its limit: what the program wrote counts all the same.
func TestAFirstProcessThatGetsNoTurnLosesNoReport(t *testing.T) {
	variants(t, func(t *testing.T, r *subject) {
		mark := fmt.Sprintf("starved-mark-%d", time.Now().UnixNano())
		s := shell("echo first > report; echo said; " + marked(mark) + "; sleep 60")
		s.Limits.Wall = 3 * time.Second
		s.Processes[0].Collect = []string{"report"}
		starved := make(chan error, 1)
		go func() { starved <- starve(t, mark, mark, func(int) {}) }()
		res := mustRun(t, r, s)
		if err := <-starved; err != nil {
			t.Fatal(err)
		}
		p := res.Processes[0]
		if p.Outcome != TimedOut || string(p.Stdout) != "said\n" || len(p.Files) != 1 || string(p.Files[0].Content) != "first\n" {
			t.Errorf("%s, said %q, collected %+v", p.Outcome, p.Stdout, p.Files)
		}
	})
}

func TestTheSecondProcessEndsWithTheFirstAlsoWherePid1GetsNoTurn(t *testing.T) {
	mark := fmt.Sprintf("leader-mark-%d", time.Now().UnixNano())
	s := Step{Runtimes: System(), Limits: Limits{Wall: time.Minute}, Processes: []Process{
		{Role: "tests", Argv: []string{"/bin/sh", "-c", marked(mark) + "; yes"}, Limits: Limits{Output: 4096}},
		{Role: "submission", Argv: []string{"/bin/sh", "-c", marked("second-" + mark)}},
	}}
	starved := make(chan error, 1)
	go func() {
		starved <- starve(t, "; echo "+mark, mark, func(waits int) { _ = unix.Kill(waits, unix.SIGKILL) })
	}()
	res := mustRun(t, newRunner(t, Config{}), s)
	if err := <-starved; err != nil {
		t.Error(err)
	}
	if res.Outcome != OutputLimit || res.Culprit != "tests" {
		t.Errorf("%s of %s", res.Outcome, res.Culprit)
	}
}

// marked is a script that runs a program with a mark on its command line, which
// the script's own shell does not have.
func marked(mark string) string {
	return fmt.Sprintf(`m=%s; sh -c "sleep 60; echo ${m}%s"`, mark[:3], mark[3:])
}

// starve stops the first process of the room in which a marked program runs,
// and lets it go on a while after the end of those with the other mark. then is
// called with the marked one in between.
func starve(t *testing.T, mark, until string, then func(pid int)) error {
	t.Helper()
	var first, it int
	for deadline := time.Now().Add(time.Minute); first == 0; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("the marked program did not come")
		}
		for _, found := range alive(t, mark) {
			pid, _, _ := strings.Cut(strings.TrimPrefix(found, "/proc/"), "/")
			if first = firstAbove(pid); first != 0 {
				it, _ = strconv.Atoi(pid)
				break
			}
		}
	}
	if err := unix.Kill(first, unix.SIGSTOP); err != nil {
		return err
	}
	then(it)
	for len(alive(t, until)) > 0 {
		time.Sleep(2 * time.Millisecond)
	}
	// A host that ends the room as well does so by now.
	time.Sleep(2 * stopPatience)
	if err := unix.Kill(first, unix.SIGCONT); err != nil {
		return fmt.Errorf("the first process was ended: %w", err)
	}
	return nil
}

// status is what /proc says of a process, by name.
func status(pid string) map[string]string {
	raw, _ := os.ReadFile("/proc/" + pid + "/status")
	fields := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.TrimSpace(value)
	}
	return fields
}

// firstAbove is the number here of the process that is 1 in its namespace and
// has pid among its descendants; 0 when there is none.
func firstAbove(pid string) int {
	for pid != "" && pid != "0" {
		said := status(pid)
		if numbers := strings.Fields(said["NSpid"]); len(numbers) > 1 && numbers[len(numbers)-1] == "1" {
			n, _ := strconv.Atoi(pid)
			return n
		}
		pid = said["PPid"]
	}
	return 0
}

// descendants lists all that descend from a room's pid 1, dead or alive.
func descendants(first int) (found []string) {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, name := range all {
		if pid := filepath.Base(name); pid != strconv.Itoa(first) && firstAbove(pid) == first {
			found = append(found, pid)
		}
	}
	return found
}

// threadsBelow lists the living threads of all that descend from a room's pid 1.
func threadsBelow(first int) (found []string) {
	for _, pid := range descendants(first) {
		tasks, _ := filepath.Glob("/proc/" + pid + "/task/*")
		for _, task := range tasks {
			if state := status(pid + "/task/" + filepath.Base(task))["State"]; state != "" && state[0] != 'Z' && state[0] != 'X' {
				found = append(found, task+" "+state)
			}
		}
	}
	return found
}

// hides are programs that look dead, or are never there when one looks.
var hides = map[string]string{
	"many": `for _ in range(20):
  if os.fork() == 0:
    while True: pass`,
	"threads without their first": `if os.fork() == 0:
  def spin():
    while True: pass
  threading.Thread(target=spin, daemon=True).start()
  import ctypes, platform
  ctypes.CDLL(None).syscall(93 if platform.machine() == "aarch64" else 60, 0)`,
	"life that is passed on": `if os.fork() == 0:
  while True:
    try:
      if os.fork(): os._exit(0)
    except OSError: pass`,
	"ones that continue each other": `for _ in range(4):
  if os.fork() == 0:
    while True:
      try: os.kill(-1, signal.SIGCONT)
      except OSError: pass`,
}

// TestWhatTheHostEndsItselfIsDead lets the host end what a room runs, whose pid
// 1 can't. It gets longer than a room gives it, as no busy machine is the point.
func TestWhatTheHostEndsItselfIsDead(t *testing.T) {
	for name, program := range hides {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t, Config{})
			s := python("import os, signal, threading, time\n" + program + "\ntime.sleep(.3)\nprint('up', flush=True)\ntime.sleep(600)")
			s.Limits.Wall, s.Limits.CPU = time.Minute, time.Minute
			mounts, err := r.check(s)
			if err != nil {
				t.Fatal(err)
			}
			x := &run{runner: r, step: s, way: Cold}
			err = x.open(t.Context(), mounts)
			defer func() {
				for _, room := range x.rooms {
					room.kill()
					if err := room.close(); err != nil {
						t.Error(err)
					}
				}
			}()
			if err == nil {
				err = x.start(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			room := x.rooms[0]
			eventually(t, time.Minute, "it is up", func() bool {
				room.capture.mu.Lock()
				defer room.capture.mu.Unlock()
				return len(room.capture.streams[0]) > 0
			})
			first := room.body.pid()
			if err := unix.Kill(first, unix.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			if err := sweep.EndBelow(first, func() bool { return true }, time.Minute); err != nil {
				t.Fatal(err)
			}
			// What was killed may need a moment to die, and what has fled shows.
			eventually(t, time.Minute, "everything is dead", func() bool { return len(threadsBelow(first)) == 0 })
			before := descendants(first)
			time.Sleep(100 * time.Millisecond)
			// Who passes life on leaves dead ones, of which pid 1 takes no leave now.
			if after := descendants(first); !slices.Equal(before, after) || len(threadsBelow(first)) > 0 {
				t.Errorf("after the end there are %v and then %v, alive %q", before, after, threadsBelow(first))
			}
		})
	}
}
