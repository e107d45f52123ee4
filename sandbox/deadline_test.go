//go:build linux && (amd64 || arm64)

package sandbox

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// deathAfter is how long after a time limit the last of a hostile step's
// processes was there: the host looks whether the room's pid 1 still exists,
// which the kernel lets go only after all others. No word of the room counts.
func deathAfter(t testing.TB, r *Runner, wall time.Duration) time.Duration {
	t.Helper()
	step := hostile(fmt.Sprintf("death-%d", time.Now().UnixNano()))
	step.Processes[0].Argv[4] += "\nfor _ in range(20):\n  if os.fork() == 0: break\nwhile True: pass"
	step.Limits.Wall, step.Limits.CPU = wall, time.Minute
	mounts, err := r.check(step)
	if err != nil {
		t.Fatal(err)
	}
	x := &run{runner: r, step: step, way: Cold}
	ended := make(chan error, 1)
	if err := x.open(t.Context(), mounts); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(x.rooms[0].body.pid(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := x.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	go func() { ended <- x.supervise(t.Context()) }()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 60_000)
		if n == 1 {
			break
		}
		if err != nil && err != unix.EINTR {
			t.Fatal(err)
		}
	}
	late := time.Since(started) - wall
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if o := x.outcome; o != TimedOut {
		t.Errorf("it ended as %s", o)
	}
	for _, room := range x.rooms {
		room.kill()
		if err := room.close(); err != nil {
			t.Error(err)
		}
	}
	return late
}

// TestTheLastProcessIsGoneWithinATenthOfASecond compares times only in the long
// suite: a busy machine must turn no test red.
func TestTheLastProcessIsGoneWithinATenthOfASecond(t *testing.T) {
	full := os.Getenv("TRACKER_TEST_FULL") != ""
	for name, cfg := range map[string]Config{"default": {}, "watchdog": {NoCgroup: true}} {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t, cfg)
			rounds := 3
			if full {
				rounds = 21
			}
			var late []time.Duration
			for range rounds {
				late = append(late, deathAfter(t, r, 200*time.Millisecond))
			}
			slices.Sort(late)
			median := late[len(late)/2]
			t.Logf("the last process was gone %s after the limit, at most %s", median, late[len(late)-1])
			if full && median > 100*time.Millisecond {
				t.Errorf("the median is %s", median)
			}
		})
	}
}

// BenchmarkDeath is how long after its limit a step of 30 processes, most of
// which spin, is gone.
func BenchmarkDeath(b *testing.B) {
	r := newRunner(b, Config{})
	var late []time.Duration
	for b.Loop() {
		late = append(late, deathAfter(b, r, 100*time.Millisecond))
	}
	slices.Sort(late)
	b.ReportMetric(float64(late[len(late)/2].Microseconds())/1000, "median-ms")
	b.ReportMetric(float64(late[len(late)-1].Microseconds())/1000, "worst-ms")
}
