package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validatortest"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

// BenchmarkVerdict alternates a verdict with what people run: go test with a
// warm cache, on code that changed. It reports medians and their ratio.
func BenchmarkVerdict(b *testing.B) {
	runner, err := sandbox.New(sandbox.Config{})
	if err != nil {
		b.Fatal(err)
	}
	judge := validatortest.Connect(b, spec)
	desc, err := judge.Describe(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	exec := steprun.New(runner, judging.Limits{})
	c, err := validatortest.ReadCase("testdata/honest.txtar", "go")
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	files := append(slices.Clone(c.Task.Tests), judging.File{Path: "go.mod", Content: []byte("module calc\n\ngo 1.26\n")})
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Path), f.Content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	var raw, judged []time.Duration
	for i := 0; b.Loop(); i++ {
		changed := fmt.Appendf(nil, "%s\n// Change is new.\nvar Change = %q\n", c.Submission.Files[0].Content, rand.Text())
		raw = append(raw, goTest(b, dir, changed))
		began := time.Now()
		r, results, err := judging.Run(b.Context(), judge, desc, exec, &judging.PlanRequest{
			Submission: judging.Submission{Language: "go", Files: []judging.File{{Path: "calc.go", Content: changed}}}, Task: c.Task, Nonce: rand.Text(),
		}, nil)
		judged = append(judged, time.Since(began))
		if err != nil || r.Verdict != judging.VerdictPassed {
			b.Fatalf("%+v %+v %v", r, results, err)
		}
	}
	b.ReportMetric(float64(median(raw).Milliseconds()), "ms-go-test")
	b.ReportMetric(float64(median(judged).Milliseconds()), "ms-verdict")
	b.ReportMetric(float64(median(judged))/float64(median(raw)), "verdict/go-test")
}

// goTest runs the go command as people do.
func goTest(b *testing.B, dir string, code []byte) time.Duration {
	b.Helper()
	if err := os.WriteFile(filepath.Join(dir, "calc.go"), code, 0o600); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, machine.root+"/bin/go", "test", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOTOOLCHAIN=local")
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return time.Since(began)
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
