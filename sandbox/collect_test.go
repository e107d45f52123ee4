//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestCollectedFilesNeverComeThroughLinks(t *testing.T) {
	variants(t, func(t *testing.T, r *subject) {
		s := shell(`mkdir d; echo real > d/real.txt; ln -s /etc/passwd d/passwd.txt; ln -s /etc d/etc; ln -s /room/d/real.txt d/same.txt
mkfifo d/pipe.txt; ln -s ../../../etc d/up; echo hidden > d/none.txt; chmod 000 d/none.txt; touch "$(printf 'd/bad\377.txt')"; ln d/real.txt d/hard.txt`)
		s.Processes[0].Collect = []string{"**"}
		p := expect(t, r, s, Exited, 0, "")
		var got []string
		for _, f := range p.Files {
			got = append(got, f.Path+"="+strings.TrimSpace(string(f.Content)))
		}
		if strings.Join(got, " ") != "d/hard.txt=real d/none.txt=hidden d/real.txt=real" {
			t.Errorf("collected %q", got)
		}
	})
}

func TestWhatIsCollectedIsBounded(t *testing.T) {
	r := newRunner(t, Config{})
	s := shell(`for i in 1 2 3 4 5 6; do head -c 1000 /dev/zero > f$i; done; head -c 100000 /dev/zero > big; mkdir -p $(printf 'a/%.0s' $(seq 200))`)
	s.Processes[0].Collect = []string{"f*", "big", "a/**"}
	s.Processes[0].Limits = Limits{Collect: 50_000, CollectFiles: 4}
	p := expect(t, r, s, Exited, 0, "")
	if len(p.Files) != 4 || !p.FilesTruncated {
		t.Errorf("%d files, truncated %v", len(p.Files), p.FilesTruncated)
	}
}

func TestReportsWrittenBeforeALimitAreStillCollected(t *testing.T) {
	s := shell("echo first > report; sleep 60")
	s.Limits.Wall = 2 * time.Second
	s.Processes[0].Collect = []string{"report"}
	p := expect(t, newRunner(t, Config{}), s, TimedOut, 0, "")
	if len(p.Files) != 1 || string(p.Files[0].Content) != "first\n" {
		t.Errorf("collected %+v", p.Files)
	}
}

// On a busy machine pid 1 may get no turn for longer than the room may outlive
// its limit: what the program wrote counts all the same.
func TestAFirstProcessThatGetsNoTurnLosesNoReport(t *testing.T) {
	variants(t, func(t *testing.T, r *subject) {
		mark := fmt.Sprintf("starved-mark-%d", time.Now().UnixNano())
		s := shell(`echo first > report; echo said; sh -c "sleep 60; echo ` + mark + `"; sleep 60`)
		s.Limits.Wall = 3 * time.Second
		s.Processes[0].Collect = []string{"report"}
		starved := make(chan error, 1)
		go func() { starved <- starve(t, mark) }()
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

// starve stops the first process of the room in which a marked program runs,
// and lets it go on a while after that program's end.
func starve(t *testing.T, mark string) error {
	var first int
	for deadline := time.Now().Add(time.Minute); first == 0; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("the marked program did not come")
		}
		for _, found := range alive(t, mark) {
			pid, _, _ := strings.Cut(strings.TrimPrefix(found, "/proc/"), "/")
			if first = firstAbove(pid); first != 0 {
				break
			}
		}
	}
	if err := unix.Kill(first, unix.SIGSTOP); err != nil {
		return err
	}
	for len(alive(t, mark)) > 0 {
		time.Sleep(2 * time.Millisecond)
	}
	// A host that ends the room as well does so by now.
	time.Sleep(2 * stopPatience)
	if err := unix.Kill(first, unix.SIGCONT); err != nil {
		return fmt.Errorf("the first process was ended: %w", err)
	}
	return nil
}

// firstAbove is the number here of the process that is 1 in its namespace and
// has pid among its descendants; 0 when there is none.
func firstAbove(pid string) int {
	for pid != "" && pid != "0" {
		raw, err := os.ReadFile("/proc/" + pid + "/status")
		if err != nil {
			return 0
		}
		parent, numbers := "", []string(nil)
		for line := range strings.Lines(string(raw)) {
			switch name, value, _ := strings.Cut(line, ":"); name {
			case "PPid":
				parent = strings.TrimSpace(value)
			case "NSpid":
				numbers = strings.Fields(value)
			}
		}
		if len(numbers) > 1 && numbers[len(numbers)-1] == "1" {
			n, _ := strconv.Atoi(pid)
			return n
		}
		pid = parent
	}
	return 0
}
