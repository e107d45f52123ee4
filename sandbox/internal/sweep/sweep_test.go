//go:build linux && (amd64 || arm64)

package sweep

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

func TestDescendantsAreFoundAndEndedAndNobodyElseIs(t *testing.T) {
	other := exec.Command("sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	tree := exec.Command("sh", "-c", "setsid sh -c 'sleep 60 & sleep 60' & echo; wait")
	out, err := tree.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	for len(Find(tree.Process.Pid, 0)) < 3 {
		time.Sleep(time.Millisecond)
	}
	if !Gone(tree.Process.Pid, 0, time.Minute) {
		t.Errorf("still there: %v", Find(tree.Process.Pid, 0))
	}
	_ = tree.Process.Kill()
	_ = tree.Wait()
	if left := Find(os.Getpid(), 0); !slices.Equal(left, []int{other.Process.Pid}) {
		t.Errorf("left are %v, not %d alone", left, other.Process.Pid)
	}
	if n := Threads(os.Geteuid()); n < 2 {
		t.Errorf("%d threads", n)
	}
}

func TestSystemUsersAndEverybodyAreNeverSwept(t *testing.T) {
	for _, uid := range []int{0, 1, 999} {
		if found := Find(0, uid); len(found) > 0 {
			t.Errorf("user %d: %v", uid, found)
		}
	}
	if found := Find(1, 0); os.Getpid() != 1 && len(found) > 0 {
		t.Errorf("below pid 1: %v", found)
	}
}

func TestANameCanNotForgeWhatAStatusSays(t *testing.T) {
	p, ok := parse(7, "Name:\tx\\nPPid:\t1\nState:\tS (sleeping)\nPPid:\t5\nUid:\t60000\t0\t0\t0\nThreads:\t3\n")
	if !ok || p != (process{pid: 7, parent: 5, uid: 60000, threads: 3}) {
		t.Errorf("%+v, %v", p, ok)
	}
	if _, ok := parse(7, "Name:\tgone\n"); ok {
		t.Error("half a status was accepted")
	}
}
