package main

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/plugins/internal/tracktest"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// TestEvalATrackOfExercisesIsJudgedRight takes a checkout of exercism/java. It
// is told to run what the track's files mark as skipped, as the track's own
// runner does.
func TestEvalATrackOfExercisesIsJudgedRight(t *testing.T) {
	tracktest.Run(t, spec, &tracktest.Track{
		Env: "TRACKER_TRACK_JAVA", Language: "java", Read: readExercise, Options: `{"run_skipped":true}`,
	})
}

func readExercise(t *testing.T, x *tracktest.Exercise) {
	t.Helper()
	x.Stub, x.Reference = x.ReadPresent(x.Solution...), x.ReadPresent(x.Example...)
	for i, r := range x.Reference {
		if rest, ok := strings.CutPrefix(r.Path, ".meta/src/reference/java/"); ok {
			x.Reference[i].Path = "src/main/java/" + rest
		}
	}
	// What a learner finds there and need not change is part of both.
	for _, g := range x.ReadPresent(x.Editor...) {
		if !strings.HasPrefix(g.Path, "src/test/") {
			x.Reference, x.Stub = append(x.Reference, g), append(x.Stub, g)
		}
	}
	for _, s := range x.Stub {
		if !slices.ContainsFunc(x.Reference, func(r judging.File) bool { return r.Path == s.Path }) {
			x.Reference = append(x.Reference, s)
		}
	}
	// Helpers of tests are not listed.
	all := slices.Clone(x.Test)
	err := fs.WalkDir(os.DirFS(x.Dir), "src/test", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !slices.Contains(all, name) {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	x.Tests = x.ReadPresent(all...)
}
