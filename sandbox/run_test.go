//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAnHonestProgramGetsInputAndGivesOutputCodeAndFiles(t *testing.T) {
	r := newRunner(t, Config{})
	s := shell(`cat data/in.txt -; echo oops >&2; mkdir -p out/deep; echo made > out/deep/a.txt; echo no > out/b.log; pwd; exit 7`)
	p := &s.Processes[0]
	p.Role = "main"
	p.Files = []File{{Path: "data/in.txt", Content: []byte("file\n")}}
	p.Stdin = []byte("stdin\n")
	p.Collect = []string{"out/**/*.txt"}
	res := mustRun(t, r, s)
	got := res.Processes[0]
	if res.Outcome != Exited || got.ExitCode != 7 || got.Signal != 0 || got.Role != "main" {
		t.Fatalf("%+v", got)
	}
	if string(got.Stdout) != "file\nstdin\n/room\n" || string(got.Stderr) != "oops\n" || got.Truncated {
		t.Errorf("stdout %q, stderr %q", got.Stdout, got.Stderr)
	}
	if len(got.Files) != 1 || got.Files[0].Path != "out/deep/a.txt" || string(got.Files[0].Content) != "made\n" {
		t.Errorf("collected %+v", got.Files)
	}
	if got.CPU <= 0 || got.Wall <= 0 || got.MaxRSS <= 0 || res.Prepare <= 0 || res.Run <= 0 {
		t.Errorf("measured %+v, prepare %s, run %s", got, res.Prepare, res.Run)
	}
}

func TestPythonRunsAsAnOrdinaryUserWithADeclaredEnvironment(t *testing.T) {
	t.Setenv("TRACKER_TEST_SECRET", "leaked")
	r := newRunner(t, Config{})
	s := python(`import os, pwd, sys, tempfile, threading, multiprocessing as mp
assert os.getuid() != 0 and os.geteuid() != 0 and os.getgid() != 0 and not any(g == 0 for g in os.getgroups())
assert pwd.getpwuid(os.getuid()).pw_name == "learner"
assert "TRACKER_TEST_SECRET" not in os.environ
tempfile.TemporaryFile().write(b"x")
t = threading.Thread(target=lambda: None); t.start(); t.join()
with mp.get_context("fork").Pool(2) as p: assert p.map(abs, [-1, 2]) == [1, 2]
print(sorted(os.environ.items()))`)
	s.Processes[0].Env = []string{"LANG=es_ES.UTF-8", "COURSE=a=b"}
	p := expect(t, r, s, Exited, 0, "")
	for _, want := range []string{"('COURSE', 'a=b')", "('LANG', 'es_ES.UTF-8')", "('HOME', '/tmp')"} {
		if !strings.Contains(string(p.Stdout), want) {
			t.Errorf("no %s in %s", want, p.Stdout)
		}
	}
}

func TestTwoProcessesTalkOverTheirChannelAndSeeNothingElseOfEachOther(t *testing.T) {
	r := newRunner(t, Config{})
	tests := `import socket, os
c = socket.socket(fileno=3)
c.sendall(b"add 2 3\n")
assert c.recv(100) == b"5\n"
assert os.path.exists("expected.txt")
print("ok")`
	submission := `import socket, os
assert not os.path.exists("expected.txt")
c = socket.socket(fileno=3)
_, a, b = c.recv(100).split()
c.sendall(b"%d\n" % (int(a) + int(b)))
assert c.recv(1) == b""
assert sum(n.isdigit() for n in os.listdir("/proc")) == 1`
	res := mustRun(t, r, Step{Runtimes: System(), Processes: []Process{
		{Role: "tests", Argv: []string{"/usr/bin/python3", "-I", "-S", "-c", tests}, Channel: true, Files: []File{{Path: "expected.txt"}}},
		{Role: "submission", Argv: []string{"/usr/bin/python3", "-I", "-S", "-c", submission}, Channel: true},
	}})
	for _, p := range res.Processes {
		if p.Outcome != Exited || p.ExitCode != 0 {
			t.Errorf("%s: %s with %d: %s", p.Role, p.Outcome, p.ExitCode, p.Stderr)
		}
	}
	if res.Outcome != Exited || res.Culprit != "" || string(res.Processes[0].Stdout) != "ok\n" {
		t.Errorf("%s by %q", res.Outcome, res.Culprit)
	}
}

func TestASecondProcessThatStaysIsKilledWhenTheFirstHasEnded(t *testing.T) {
	r := newRunner(t, Config{})
	begun := time.Now()
	res := mustRun(t, r, Step{Runtimes: System(), Processes: []Process{
		{Role: "tests", Argv: []string{"/bin/sh", "-c", "exit 3"}, Channel: true},
		{Role: "submission", Argv: []string{"/bin/sleep", "60"}, Channel: true},
	}})
	if res.Outcome != Exited || res.Processes[0].ExitCode != 3 || res.Processes[1].Outcome != Killed {
		t.Errorf("%+v", res)
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestALimitOfTheSecondProcessLetsTheFirstReport(t *testing.T) {
	r := newRunner(t, Config{})
	res := mustRun(t, r, Step{Runtimes: System(), Processes: []Process{
		{Role: "tests", Argv: []string{"/usr/bin/python3", "-I", "-S", "-c", `import socket
assert socket.socket(fileno=3).recv(1) == b""
print("it is gone")`}, Channel: true},
		{Role: "submission", Argv: []string{"/bin/sh", "-c", "yes"}, Channel: true, Limits: Limits{Output: 10000}},
	}})
	if res.Outcome != OutputLimit || res.Culprit != "submission" || string(res.Processes[0].Stdout) != "it is gone\n" || res.Processes[0].Outcome != Exited {
		t.Errorf("%s by %s; %+v", res.Outcome, res.Culprit, res.Processes[0])
	}
}

func TestAProgramThatCannotBeExecutedIsAnErrorOfItsOwnKind(t *testing.T) {
	r := newRunner(t, Config{})
	for name, c := range map[string]struct {
		p    Process
		want error
	}{
		"not there":         {Process{Argv: []string{"/usr/bin/no-such-program"}}, unix.ENOENT},
		"not in PATH":       {Process{Argv: []string{"no-such-program"}}, unix.ENOENT},
		"not executable":    {Process{Argv: []string{"./a"}, Files: []File{{Path: "a", Content: []byte("#!/bin/sh\n")}}}, unix.EACCES},
		"not a program":     {Process{Argv: []string{"./a"}, Files: []File{{Path: "a", Content: []byte("junk"), Executable: true}}}, unix.ENOEXEC},
		"no such directory": {Process{Argv: []string{"/bin/true"}, Dir: "nowhere"}, unix.ENOENT},
	} {
		_, err := r.Run(context.Background(), Step{Runtimes: System(), Processes: []Process{c.p}})
		var start *StartError
		if !errors.As(err, &start) || !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASubmittedScriptAndABareNameAreExecuted(t *testing.T) {
	r := newRunner(t, Config{})
	s := Step{Runtimes: System(), Processes: []Process{{Argv: []string{"./run", "x y"}, Dir: "bin",
		Files: []File{{Path: "bin/run", Content: []byte("#!/bin/sh\necho \"$1\"\n"), Executable: true, ReadOnly: true}}}}}
	expect(t, r, s, Exited, 0, "x y")
	expect(t, r, Step{Runtimes: System(), Processes: []Process{{Argv: []string{"echo", "hi"}}}}, Exited, 0, "hi")
}

func TestReadOnlyFilesCanNeitherBeChangedNorReplaced(t *testing.T) {
	r := newRunner(t, Config{})
	s := shell(`echo x > tests/t.py; rm -f tests/t.py; chmod 777 tests/t.py; mv tests/t.py y; echo x > z && mv z tests/t.py; cat tests/t.py; echo free > mine.py; cat mine.py`)
	s.Processes[0].Files = []File{{Path: "tests/t.py", Content: []byte("original\n"), ReadOnly: true}, {Path: "mine.py", Content: []byte("old")}}
	expect(t, r, s, Exited, 0, "original\nfree")
}

func TestASignalAndItsNumberAreReported(t *testing.T) {
	p := expect(t, newRunner(t, Config{}), shell("kill -SEGV $$"), Exited, -1, "")
	if p.Signal != int(unix.SIGSEGV) {
		t.Errorf("signal %d", p.Signal)
	}
}

func TestRuntimesOutsideTheAllowedFoldersAreRefused(t *testing.T) {
	r := newRunner(t, Config{RuntimeRoots: append(DefaultRuntimeRoots(), "/etc/alternatives")})
	dir := t.TempDir()
	link := dir + "/usr"
	if err := os.Symlink("/etc", link); err != nil {
		t.Fatal(err)
	}
	for _, m := range []Mount{{Source: "/etc"}, {Source: "/root"}, {Source: dir}} {
		if _, err := r.Run(context.Background(), Step{Runtimes: []Mount{m}, Processes: []Process{{Argv: []string{"/bin/true"}}}}); !errors.Is(err, ErrStep) {
			t.Errorf("%s: %v", m.Source, err)
		}
	}
	r = newRunner(t, Config{RuntimeRoots: []string{dir}})
	if _, err := r.Run(context.Background(), Step{Runtimes: []Mount{{Source: link, Target: "/x"}}, Processes: []Process{{Argv: []string{"/bin/true"}}}}); !errors.Is(err, ErrStep) {
		t.Errorf("a link out of the allowed folder: %v", err)
	}
}

func TestTheEndOfTheContextEndsTheStep(t *testing.T) {
	r := newRunner(t, Config{})
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := r.Run(ctx, shell("sleep 60"))
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 30*time.Second {
		t.Errorf("%v after %s", err, time.Since(begun))
	}
}

func TestManyStepsRunAtTheSameTime(t *testing.T) {
	r := newRunner(t, Config{Slots: 4})
	errs := make(chan error)
	for range 16 {
		go func() {
			res, err := r.Run(context.Background(), shell("echo hi"))
			if err == nil && string(res.Processes[0].Stdout) != "hi\n" {
				err = errors.New("wrong output")
			}
			errs <- err
		}()
	}
	for range 16 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
