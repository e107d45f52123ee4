package main

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validatortest"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

func TestManyFailuresWithLongValuesAreAllReported(t *testing.T) {
	runner, err := sandbox.New(sandbox.Config{})
	if err != nil {
		t.Fatal(err)
	}
	judge := validatortest.Connect(t, spec)
	desc, err := judge.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const many = 600 // with 15 KB each, more than a step may leave behind
	req := &judging.PlanRequest{
		Submission: judging.Submission{Language: "javascript", Files: []judging.File{
			{Path: "c.js", Content: []byte("exports.f = (i) => `${i}${'w'.repeat(7000)}`;")},
		}},
		Task: judging.Task{Options: []byte(`{"isolation": "shared"}`), Tests: []judging.File{{Path: "c.test.js", Content: []byte(
			"const { f } = require('./c');\nfor (let i = 0; i < 600; i++) test(`n ${i}`, () => { expect(f(i)).toBe('r'.repeat(7000)); });")}}},
		Nonce: "n",
	}
	r, _, err := judging.Run(t.Context(), judge, desc, steprun.New(runner, judging.Limits{}), req, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Tests) != many {
		t.Fatalf("%d tests are reported, of %d: %s", len(r.Tests), many, r.Summary.In("en"))
	}
	for _, x := range r.Tests {
		if x.Status != judging.StatusFail || !strings.HasPrefix(x.Expected, "'rrr") || !strings.Contains(x.Actual, "www") {
			t.Fatalf("%s: %s, expected %.80s, got %.80s", x.Name, x.Status, x.Expected, x.Actual)
		}
	}
}
