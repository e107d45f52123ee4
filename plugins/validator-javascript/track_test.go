package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"github.com/goals-tracker/tracker/plugins/internal/tracktest"
	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

// TestEvalATrackOfExercisesIsJudgedRight takes a checkout of
// exercism/javascript or exercism/typescript. It sets no options: what the
// track's files mark as skipped must run by itself.
func TestEvalATrackOfExercisesIsJudgedRight(t *testing.T) {
	tracktest.Run(t, spec, &tracktest.Track{
		Env: "TRACKER_TRACK_JAVASCRIPT", Language: "javascript", Read: readExercise,
		Warm: func(t *testing.T, pool *sandbox.Pool) steprun.Runner { return waitsFirst{t, pool} },
	})
}

func readExercise(_ *testing.T, x *tracktest.Exercise) {
	if n := len(x.Solution); n > 0 && filepath.Ext(x.Solution[n-1]) == ".ts" {
		x.Language = "typescript"
	}
	x.Stub, x.Reference = x.Read(x.Solution...), x.ReadInPlace()
	for i, r := range x.Reference {
		// References lie one folder deeper than where they are put.
		x.Reference[i].Content = bytes.ReplaceAll(r.Content, []byte("from '../"), []byte("from './"))
	}
	settings := []string{"package.json", "tsconfig.json", "babel.config.js"}
	x.Tests = append(x.Read(x.Test...), x.ReadPresent(slices.Concat(x.Editor, x.Glob("data/*"), settings)...)...)
}
