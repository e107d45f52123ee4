//go:build linux && (amd64 || arm64)

package sandbox

import (
	"strings"
	"testing"
	"time"
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

// The walk goes to each file anew from the top, so depth costs its square.
func TestFoldersWithoutEndAreNotThePlatformsFailure(t *testing.T) {
	s := python(`import os
open("report", "w").write("first")
try:
    while True: os.mkdir("a"); os.chdir("a")
except OSError: pass`)
	s.Processes[0].Collect = []string{"report"}
	p := expect(t, newRunner(t, Config{}), s, Exited, 0, "")
	if len(p.Files) != 1 || p.FilesTruncated {
		t.Errorf("collected %+v, truncated %v", p.Files, p.FilesTruncated)
	}
	s.Processes[0].Collect = []string{"**"}
	if p = expect(t, newRunner(t, Config{}), s, Exited, 0, ""); len(p.Files) != 1 || !p.FilesTruncated {
		t.Errorf("collected %+v, truncated %v", p.Files, p.FilesTruncated)
	}
}
