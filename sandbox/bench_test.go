//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// smallInit builds sandbox-init, which stands beside the server's binary.
func smallInit(b *testing.B) string {
	b.Helper()
	small := filepath.Join(b.TempDir(), "sandbox-init")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", small, "./cmd/sandbox-init")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	for dir := filepath.Dir(small); dir != "/tmp" && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			b.Fatal(err)
		}
	}
	return small
}

// contestant is one way to run a program; before each run it may prepare.
type contestant struct {
	name    string
	prepare func() error
	run     func() error
	times   []time.Duration
}

// race lets all take turns, so that a busy machine slows each of them, and
// reports the medians and what each adds to the first.
func race(b *testing.B, all []*contestant) {
	b.Helper()
	for b.Loop() {
		for _, c := range all {
			// What is refilled for one must not take the machine from another.
			for _, c := range all {
				if c.prepare == nil {
					continue
				}
				if err := c.prepare(); err != nil {
					b.Fatal(c.name, err)
				}
			}
			begun := time.Now()
			if err := c.run(); err != nil {
				b.Fatal(c.name, err)
			}
			c.times = append(c.times, time.Since(begun))
		}
	}
	first := 0.0
	for i, c := range all {
		slices.Sort(c.times)
		median := float64(c.times[len(c.times)/2].Microseconds()) / 1000
		b.ReportMetric(median, c.name+"-ms")
		if i == 0 {
			first = median
			continue
		}
		b.ReportMetric(median-first, c.name+"-added-ms")
	}
}

// sandboxed runs a step on one way.
func sandboxed(b *testing.B, name string, cfg Config, way Way, step Step) *contestant {
	b.Helper()
	s := newSubject(b, cfg, way)
	step = s.on(step)
	c := &contestant{name: name, run: func() error { return onWay(s, step) }}
	if way != Cold {
		c.prepare = func() error { return s.pool.Prepare(context.Background(), step) }
	}
	return c
}

func onWay(s *subject, step Step) error {
	run := s.Runner.Run
	if s.pool != nil {
		run = s.pool.Run
	}
	res, err := run(context.Background(), step)
	if err == nil && res.Way != s.way {
		s.t.Errorf("it ran %s, not %s", res.Way, s.way)
	}
	return err
}

func raw(argv ...string) *contestant {
	return &contestant{name: "raw", run: func() error { return exec.Command(argv[0], argv[1:]...).Run() }}
}

// BenchmarkStart is what a sandbox adds to the start of /bin/true.
func BenchmarkStart(b *testing.B) {
	small := smallInit(b)
	step := Step{Runtimes: System(), Processes: []Process{{Argv: []string{"/bin/true"}}}}
	race(b, []*contestant{
		raw("/bin/true"),
		sandboxed(b, "cold", Config{InitPath: small, NoCgroup: true}, Cold, step),
		sandboxed(b, "cold-cgroup", Config{InitPath: small}, Cold, step),
		sandboxed(b, "cold-own-binary", Config{NoCgroup: true}, Cold, step),
		sandboxed(b, "prepared", Config{InitPath: small, NoCgroup: true}, Prepared, step),
		sandboxed(b, "prepared-cgroup", Config{InitPath: small}, Prepared, step),
	})
}

// BenchmarkWarmUp is what a warm-up program saves of the start of Python.
func BenchmarkWarmUp(b *testing.B) {
	small := smallInit(b)
	step := python("import json, random, decimal, unittest, dataclasses")
	race(b, []*contestant{
		raw(step.Processes[0].Argv...),
		sandboxed(b, "cold-cgroup", Config{InitPath: small}, Cold, step),
		sandboxed(b, "warm-cgroup", Config{InitPath: small}, Warm, step),
		sandboxed(b, "forked-cgroup", Config{InitPath: small}, Forked, step),
		sandboxed(b, "warm", Config{InitPath: small, NoCgroup: true}, Warm, step),
		sandboxed(b, "forked", Config{InitPath: small, NoCgroup: true}, Forked, step),
	})
}
