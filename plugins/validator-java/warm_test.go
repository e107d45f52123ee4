package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validatortest"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

// judged runs a case on a runner and tells the verdict and each test.
func judged(t testing.TB, runner steprun.Runner, name string) string {
	t.Helper()
	c, err := validatortest.ReadCase(filepath.Join("testdata", name+".txtar"), "java")
	if err != nil {
		t.Fatal(err)
	}
	judge := validatortest.Connect(t, spec)
	desc, err := judge.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, results, err := judging.Run(t.Context(), judge, desc, steprun.New(runner, judging.Limits{}), &judging.PlanRequest{Submission: c.Submission, Task: c.Task, Nonce: rand.Text()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintln(r.Verdict, r.Summary.In("en"), r.Output)
	for _, x := range r.Tests {
		text += fmt.Sprintln(x.Status, x.ID, x.Message.In("en"), x.Output)
	}
	for _, f := range r.Findings {
		text += fmt.Sprintln(f.Rule, f.File, f.Line)
	}
	for _, p := range results[0].Processes {
		if r.Verdict == judging.VerdictUnproven {
			text += string(p.Stdout)
		}
	}
	return text
}

// prepared has a JVM waiting before it runs a step.
type prepared struct {
	t    testing.TB
	pool *sandbox.Pool
	want sandbox.Way
	stop func()
	from func()
}

func (p prepared) Run(ctx context.Context, step sandbox.Step) (sandbox.Result, error) {
	p.stop()
	if err := p.pool.Prepare(ctx, step); err != nil {
		p.t.Error(err)
	}
	p.from()
	res, err := p.pool.Run(ctx, step)
	if err == nil && res.Way != p.want {
		p.t.Errorf("it ran %s, not %s", res.Way, p.want)
	}
	return res, err
}

func pool(t testing.TB) (*sandbox.Runner, *sandbox.Pool) {
	t.Helper()
	runner, err := sandbox.New(sandbox.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := runner.NewPool(sandbox.PoolConfig{Size: 1})
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return runner, p
}

func TestAWarmJVMJudgesAsOneThatIsExecuted(t *testing.T) {
	runner, waiting := pool(t)
	nothing := func() {}
	for _, name := range []string{"honest", "forged_report", "program_exit_code"} {
		cold := judged(t, runner, name)
		warm := judged(t, prepared{t, waiting, sandbox.Warm, nothing, nothing}, name)
		if cold != warm {
			t.Errorf("%s:\n%s\nwarm:\n%s", name, cold, warm)
		}
	}
}

func BenchmarkVerdict(b *testing.B) {
	runner, waiting := pool(b)
	b.Run("raw", func(b *testing.B) {
		dir := b.TempDir()
		c, err := validatortest.ReadCase("testdata/honest.txtar", "java")
		if err != nil {
			b.Fatal(err)
		}
		var sources []string
		for _, f := range append(c.Submission.Files, c.Task.Tests...) {
			name := filepath.Join(dir, f.Path)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(name, f.Content, 0o644); err != nil {
				b.Fatal(err)
			}
			if isJava(name) {
				sources = append(sources, name)
			}
		}
		libs, err := filepath.Abs(".libs")
		if err != nil {
			b.Fatal(err)
		}
		launcher, err := filepath.Glob(filepath.Join(libs, "junit-platform-console-standalone-*.jar"))
		if err != nil || len(launcher) != 1 {
			b.Skipf("no launcher in .libs: run toolchain/install (%v)", err)
		}
		for b.Loop() {
			javac := exec.CommandContext(b.Context(), "javac", append([]string{"-nowarn", "-d", "out", "-cp", filepath.Join(libs, "*")}, sources...)...)
			java := exec.CommandContext(b.Context(), "java", "-jar", launcher[0], "execute", "--scan-classpath", "out", "-cp",
				"out:src/test/resources:"+filepath.Join(libs, "assertj-core-3.27.3.jar")+":"+filepath.Join(libs, "byte-buddy-1.15.11.jar"))
			for _, cmd := range []*exec.Cmd{javac, java} {
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
			}
		}
	})
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			judged(b, runner, "honest")
		}
	})
	b.Run("warm", func(b *testing.B) {
		for b.Loop() {
			judged(b, prepared{b, waiting, sandbox.Warm, b.StopTimer, b.StartTimer}, "honest")
		}
	})
}
