package main

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/plugins/internal/tracktest"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// TestEvalATrackOfExercisesIsJudgedRight takes a checkout of exercism/c or
// exercism/cpp.
func TestEvalATrackOfExercisesIsJudgedRight(t *testing.T) {
	tracktest.Run(t, spec, &tracktest.Track{
		Env: "TRACKER_TRACK_C", Language: "c", Read: readExercise, Options: `{"run_skipped":true}`,
		Toolchain: true, Timeout: 3 * time.Minute,
	})
}

func readExercise(_ *testing.T, x *tracktest.Exercise) {
	x.Stub, x.Reference = x.Read(x.Solution...), x.Read(x.Example...)
	for _, s := range x.Solution {
		if filepath.Ext(s) == ".cpp" {
			x.Language = "cpp"
		}
		// example.c is what solves leap.c: the one with the same extension.
		for i, name := range x.Example {
			if filepath.Ext(s) == filepath.Ext(name) {
				x.Reference[i].Path = s
			}
		}
	}
	for _, s := range x.Stub {
		// Headers that the reference leaves as they are. A reference that is a
		// header only has no use for the stub's source.
		if !has(x.Reference, s.Path) && filepath.Ext(s.Path) == ".h" {
			x.Reference = append(x.Reference, s)
		}
	}
	x.Tests = x.Read(x.Test...)
	for _, pattern := range []string{"test-framework/*", "test/*", "*.h", "*.txt"} {
		for _, name := range x.Glob(pattern) {
			if filepath.Base(name) != "CMakeLists.txt" && !has(slices.Concat(x.Stub, x.Tests, x.Reference), name) {
				x.Tests = append(x.Tests, x.Read(name)...)
			}
		}
	}
}

func has(files []judging.File, path string) bool {
	return slices.ContainsFunc(files, func(f judging.File) bool { return f.Path == path })
}
