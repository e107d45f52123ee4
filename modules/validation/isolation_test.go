package validation_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
)

func TestASecondKernelJudgesAndTheReportSaysSo(t *testing.T) {
	if os.Getenv("TRACKER_TEST_FULL") == "" {
		t.Skip("it takes half a minute")
	}
	if _, err := exec.LookPath("runsc"); err != nil {
		t.Skip("runsc is not installed")
	}
	runner, err := sandbox.New(validation.Config{Backend: sandbox.BackendRunsc}.Sandbox())
	if err != nil {
		t.Fatal(err)
	}
	tests := folder(t, "test_main.py", doubleTest)
	for code, want := range map[string]judging.Verdict{"def double(n):\n    return 2 * n\n": judging.VerdictPassed, "def double(n):\n    return 0\n": judging.VerdictFailed} {
		r, err := validation.JudgeDir(t.Context(), python(t), runner, validation.DirOptions{Language: "python", Submission: folder(t, "main.py", code), Tests: tests})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != want || r.Integrity != "split" || r.Toolchain["isolation"] != "runsc" || r.Timings.Path != "cold" {
			t.Errorf("%s, integrity %s, %v, %s: %s", r.Verdict, r.Integrity, r.Toolchain, r.Timings.Path, r.Summary.EN)
		}
	}
}
