package main

import (
	"crypto/rand"
	"os"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validatortest"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

func TestSpec(t *testing.T) { validatortest.Spec(t, spec) }

func TestCases(t *testing.T) { validatortest.Dir(t, spec, "testdata") }

func TestBinary(t *testing.T) { validatortest.Binary(t, validatortest.Build(t)) }

// A machine where nobody ran toolchain/install: the standard library is
// compiled in the room.
func TestWithoutCompiledPackagesJudgesTheSame(t *testing.T) {
	if os.Getenv("TRACKER_TEST_FULL") == "" {
		t.Skip("compiles the standard library for each run: set TRACKER_TEST_FULL=1")
	}
	kept := machine
	machine.archives, machine.harness = "", ""
	defer func() { machine = kept }()
	runner, err := sandbox.New(sandbox.Config{})
	if err != nil {
		t.Fatal(err)
	}
	judge := validatortest.Connect(t, spec)
	desc, err := judge.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := validatortest.ReadCase("testdata/honest.txtar", "go")
	if err != nil {
		t.Fatal(err)
	}
	exec := steprun.New(runner, judging.Limits{Wall: 10 * time.Minute, CPU: 10 * time.Minute})
	r, results, err := judging.Run(t.Context(), judge, desc, exec, &judging.PlanRequest{Submission: c.Submission, Task: c.Task, Nonce: rand.Text()}, nil)
	if err != nil || r.Verdict != judging.VerdictPassed || len(r.Tests) != 5 {
		t.Errorf("%v %+v %+v", err, r, results)
	}
}
