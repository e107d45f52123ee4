//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sandbox/internal/pid1"
)

func TestMain(m *testing.M) {
	// Only pid 1 of a test's room has it.
	pid1.Omit(os.Getenv(omittedLayer))
	Init()
	if mark := os.Getenv(hostToBeKilled); mark != "" {
		hostUntilKilled(mark)
	}
	if os.Getenv(hostWithoutNamespaces) != "" {
		startWithoutNamespaces()
	}
	if os.Getenv(hostInAContainer) != "" {
		startInAContainer()
	}
	code := m.Run()
	if err := returnShared(); err != nil {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}

// newRunner is what each test runs on; a machine that can't confine fails the
// tests, as it would fail the server.
func newRunner(t testing.TB, cfg Config) *Runner {
	t.Helper()
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// shell is a step that runs a script.
func shell(script string) Step {
	return Step{Name: "sh", Runtimes: System(), Processes: []Process{{Argv: []string{"/bin/sh", "-c", script}}}}
}

// python is a step that runs a program of the distribution's Python, isolated
// from whatever the environment says.
func python(program string) Step {
	return Step{Name: "python", Runtimes: System(), Processes: []Process{{Argv: []string{"/usr/bin/python3", "-I", "-S", "-c", program}}}}
}

// runner is a Runner, a Pool or a subject.
type runner interface {
	Run(ctx context.Context, step Step) (Result, error)
}

func mustRun(t testing.TB, r runner, s Step) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	res, err := r.Run(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// expect runs a single process and checks how it ended and what it printed.
func expect(t testing.TB, r runner, s Step, o Outcome, code int, stdout string) ProcessResult {
	t.Helper()
	p := mustRun(t, r, s).Processes[0]
	if p.Outcome != o || (o == Exited && p.ExitCode != code) {
		t.Fatalf("%s with code %d and signal %d, want %s with %d\nstdout: %s\nstderr: %s", p.Outcome, p.ExitCode, p.Signal, o, code, p.Stdout, p.Stderr)
	}
	if stdout != "" && strings.TrimSpace(string(p.Stdout)) != stdout {
		t.Fatalf("printed %q, want %q\nstderr: %s", p.Stdout, stdout, p.Stderr)
	}
	return p
}
