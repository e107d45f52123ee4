//go:build linux

package cgroup

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const mixedMounts = `31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`

func TestTheTreeIsFoundWhereItIsMounted(t *testing.T) {
	for _, c := range []struct{ name, mounts, self, controller, want string }{
		{"version 1", mixedMounts, "4:memory:/a/b\n0::/\n", "memory", "/sys/fs/cgroup/memory/a/b"},
		{"unified beside version 1", mixedMounts, "4:memory:/a\n0::/x\n", "", "/sys/fs/cgroup/unified/x"},
		{"unified alone", "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n", "0::/user.slice/a.service\n", "", "/sys/fs/cgroup/user.slice/a.service"},
		{"a container's part", "30 23 0:26 /docker/ab /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "4:memory:/docker/ab/x\n", "memory", "/sys/fs/cgroup/memory/x"},
		{"a foreign part", "30 23 0:26 /docker/ab /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "4:memory:/\n", "memory", "/sys/fs/cgroup/memory"},
		{"a mount point with a space", "30 23 0:26 / /mnt/c\\040g rw - cgroup2 cgroup2 rw\n", "0::/\n", "", "/mnt/c g"},
	} {
		got, err := locate(c.mounts, c.self, c.controller)
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	if _, err := locate("", "0::/\n", ""); err == nil {
		t.Error("a tree that is not mounted was found")
	}
}

func TestAUnifiedTreeWithoutTheControllersIsRefusedWithTheReason(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cgroup.controllers"), []byte("cpu io\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := detectV2(dir, "", "")
	if err == nil || !strings.Contains(err.Error(), "no memory controller") {
		t.Fatalf("got %v", err)
	}
}

func TestVersion2LimitsAreWrittenToTheirFiles(t *testing.T) {
	dir := t.TempDir()
	if err := limitV2(dir, Limits{Memory: 1 << 20, Tasks: 9}); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"memory.max": "1048576", "memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "9"} {
		got, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
}

func TestAGroupCountsWhatTheKernelKilled(t *testing.T) {
	m, err := Detect("")
	if err != nil {
		// Nothing to prove as a user to whom no group is delegated; the
		// sandbox's own tests prove the watchdog that stands in.
		t.Logf("no cgroup here: %v", err)
		return
	}
	g, err := m.New(Limits{Memory: 16 << 20, Tasks: 8})
	if err != nil {
		t.Fatal(err)
	}
	// The shell waits for a line, so that it is in the group before it eats.
	cmd := exec.Command("/bin/sh", "-c", "read go; x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := g.Join(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if _, err := stdin.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	kills, err := g.OOMKills()
	if err != nil || kills == 0 {
		t.Errorf("%d kills, %v", kills, err)
	}
	if peak := g.PeakMemory(); peak < 8<<20 || peak > 17<<20 {
		t.Errorf("peak of %d bytes", peak)
	}
	if err := g.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(g.dir); !os.IsNotExist(err) {
		t.Errorf("the group is still there: %v", err)
	}
}

func TestGroupsOfKilledHostsAreSweptAndThoseOfLivingOnesStay(t *testing.T) {
	dir := t.TempDir()
	dead := exec.Command("/bin/true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	m := &Manager{parent: dir}
	keep := []string{fmt.Sprintf("tracker-sandbox-%d-1-1", os.Getpid()), "tracker-sandbox-x", "tracker-server", "other"}
	gone := fmt.Sprintf("tracker-sandbox-%d-1-1", dead.Process.Pid)
	for _, name := range append(keep, gone) {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	m.Sweep()
	if _, err := os.Stat(filepath.Join(dir, gone)); err != nil {
		t.Errorf("one that was just made is gone: %v", err)
	}
	m.sweep(0)
	if _, err := os.Stat(filepath.Join(dir, gone)); !os.IsNotExist(err) {
		t.Errorf("a dead host's group is still there: %v", err)
	}
	for _, name := range keep {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func FuzzKernelFiles(f *testing.F) {
	f.Add(mixedMounts, "4:memory:/a\n0::/\n")
	f.Add(`1 2 3 \04 \999 - cgroup2`, "0::")
	f.Fuzz(func(_ *testing.T, mounts, self string) {
		for _, c := range []string{"", "memory"} {
			_, _ = locate(mounts, self, c)
		}
		parseField(self, "oom_kill")
	})
}
