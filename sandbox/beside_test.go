//go:build linux && (amd64 || arm64)

package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheFilesOfAWarmUpAreThereHoweverAWarmProcessBegins(t *testing.T) {
	r := newRunner(t, Config{})
	s := shell(`cat /warm/sub/given.txt; (echo more >> /warm/sub/given.txt) 2>/dev/null || echo kept`)
	s.Recurring, s.Processes[0].Warm = true, true
	s.WarmUp = &WarmUp{Files: []File{{Path: "sub/given.txt", Content: []byte("given\n")}}}
	pool := r.NewPool(PoolConfig{Size: 1})
	defer func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}()
	expectWay := func(res Result, want Way) {
		t.Helper()
		if out := string(res.Processes[0].Stdout); res.Way != want || out != "given\nkept\n" {
			t.Errorf("%s instead of %s: %q %s", res.Way, want, out, res.Processes[0].Stderr)
		}
	}
	expectWay(mustRun(t, r, s), Cold)
	ready(t, pool, s)
	expectWay(mustRun(t, pool, s), Prepared)
	s.WarmUp.Argv = []string{"/bin/sh", "-c", `printf 'ready\n'; read -r line || exit 0; cd /room; cat /warm/sub/given.txt; (echo more >> /warm/sub/given.txt) 2>/dev/null || echo kept`}
	ready(t, pool, s)
	expectWay(mustRun(t, pool, s), Warm)
}

func TestAProcessThatIsNotWarmDoesNotSeeTheFilesOfAWarmUp(t *testing.T) {
	r := newRunner(t, Config{})
	s := shell(`ls /warm`)
	s.WarmUp = &WarmUp{Files: []File{{Path: "given.txt", Content: []byte("given\n")}}}
	if p := mustRun(t, r, s).Processes[0]; p.ExitCode == 0 || strings.Contains(string(p.Stdout), "given") {
		t.Errorf("exit code %d: %q", p.ExitCode, p.Stdout)
	}
}

func TestTheFilesOfAWarmUpAreThereUnderASecondKernel(t *testing.T) {
	s := shell(`cat /warm/sub/given.txt /warm/top.txt; (echo more >> /warm/sub/given.txt) 2>/dev/null || echo kept`)
	s.Processes[0].Warm = true
	s.WarmUp = &WarmUp{Argv: []string{"/bin/false"}, Files: []File{{Path: "sub/given.txt", Content: []byte("given\n")}, {Path: "top.txt", Content: []byte("top\n")}}}
	res := mustRun(t, onSecondKernel(t, Config{}), s)
	if out := string(res.Processes[0].Stdout); out != "given\ntop\nkept\n" {
		t.Errorf("%q %s", out, res.Processes[0].Stderr)
	}
}

func TestWhatIsLaidBesideWithoutARoomCanBeReadByAllAndWrittenByNone(t *testing.T) {
	dir := t.TempDir()
	if err := writeBeside(dir, []File{{Path: "a/b/c", Content: []byte("c"), Executable: true}, {Path: "d", Content: []byte("d")}}); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"a/b/c": 0o555, "d": 0o444, "a": os.ModeDir | 0o755} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if err := writeBeside(dir, []File{{Path: "../out", Content: []byte("x")}}); err == nil {
		t.Error("a file outside was written")
	}
}
