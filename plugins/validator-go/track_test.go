package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/plugins/internal/tracktest"
)

// TestEvalATrackOfExercisesIsJudgedRight takes a checkout of exercism/go.
func TestEvalATrackOfExercisesIsJudgedRight(t *testing.T) {
	tracktest.Run(t, spec, &tracktest.Track{Env: "TRACKER_TRACK_GO", Language: "go", Read: readExercise, StubsAlone: true})
}

// readExercise takes all that is no solution for tests, as go.mod and data
// files are.
func readExercise(t *testing.T, x *tracktest.Exercise) {
	t.Helper()
	x.Stub, x.Reference = x.Read(x.Solution...), x.ReadInPlace()
	err := filepath.WalkDir(x.Dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(x.Dir, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case !d.IsDir() && !slices.Contains(x.Solution, name) && !strings.HasSuffix(name, ".md"):
			x.Tests = append(x.Tests, x.Read(name)...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
