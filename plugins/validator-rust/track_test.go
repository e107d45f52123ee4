package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/plugins/internal/tracktest"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// TestEvalATrackOfExercisesIsJudgedRight takes a checkout of exercism/rust.
func TestEvalATrackOfExercisesIsJudgedRight(t *testing.T) {
	tracktest.Run(t, spec, &tracktest.Track{
		Env: "TRACKER_TRACK_RUST", Language: "rust", Read: readExercise, Options: `{"run_ignored":true}`,
		Toolchain: true, Timeout: 3 * time.Minute,
	})
}

func readExercise(_ *testing.T, x *tracktest.Exercise) {
	x.Stub, x.Reference = x.Read(x.Solution...), x.Read(x.Example...)
	for i := range x.Reference {
		switch base := filepath.Base(x.Reference[i].Path); {
		case base == "example.rs" || base == "exemplar.rs":
			x.Reference[i].Path = "src/lib.rs"
		case strings.HasSuffix(base, ".toml"):
			x.Reference[i].Path = "Cargo.toml"
		default:
			x.Reference[i].Path = "src/" + base
		}
	}
	for _, s := range x.Stub {
		if !slices.ContainsFunc(x.Reference, func(r judging.File) bool { return r.Path == s.Path }) {
			x.Reference = append(x.Reference, s)
		}
	}
	x.Tests = x.Read(slices.Concat(x.Test, x.Editor)...)
	for _, name := range x.Glob("src/*.rs") {
		if !slices.Contains(x.Solution, name) && !slices.Contains(x.Editor, name) {
			x.Tests = append(x.Tests, x.Read(name)...)
		}
	}
}
