package main

import (
	"slices"
	"testing"

	"github.com/goals-tracker/tracker/plugins/internal/tracktest"
	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

// TestEvalATrackOfExercisesIsJudgedRight takes a checkout of exercism/python.
// Exercises in refactoring hand out code that works.
func TestEvalATrackOfExercisesIsJudgedRight(t *testing.T) {
	tracktest.Run(t, spec, &tracktest.Track{
		Env: "TRACKER_TRACK_PYTHON", Language: "python", Read: readExercise, StubsPass: []string{"ledger", "markdown"},
		Warm: func(t *testing.T, pool *sandbox.Pool) steprun.Runner { return waitsFirst{t, pool, sandbox.Forked} },
	})
}

// readExercise adds data and helper modules, which no list has, to the tests.
func readExercise(_ *testing.T, x *tracktest.Exercise) {
	x.Stub, x.Reference = x.Read(x.Solution...), x.ReadInPlace()
	helpers := slices.DeleteFunc(x.Glob("*.py"), func(name string) bool {
		return slices.Contains(slices.Concat(x.Solution, x.Test, x.Editor), name)
	})
	x.Tests = append(x.Read(x.Test...), x.ReadPresent(slices.Concat(x.Editor, x.Glob("data/*"), helpers)...)...)
}
