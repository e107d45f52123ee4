package validation_test

import (
	"encoding/json"
	"testing"

	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	"github.com/goals-tracker/tracker/sdk/judging"
)

const doubleTest = `
from main import double

def test_two():
    assert double(2) == 4

def test_zero():
    assert double(0) == 0
`

func TestRealSubmissionsGetTheirVerdictAndTheTaskFollows(t *testing.T) {
	b := setup(t, validationtest.Options{})
	for _, c := range []struct {
		name, code string
		verdict    judging.Verdict
		status     tasks.Status
		passed     int
		total      int
	}{
		{"passing", "def double(n):\n    return 2 * n\n", judging.VerdictPassed, tasks.StatusCompleted, 2, 2},
		{"failing", "def double(n):\n    return 0\n", judging.VerdictFailed, tasks.StatusFailed, 1, 2},
		{"invalid", "def double(n:\n    return 0\n", judging.VerdictInvalid, tasks.StatusFailed, 0, 0},
		{"timeout", "def double(n):\n    while True: pass\n", judging.VerdictTimedOut, tasks.StatusFailed, 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := *b
			b.t = t
			task := b.task(ada, "test_main.py", doubleTest)
			if c.name == "timeout" {
				b.limit(task, 1000)
			}
			s := b.Submit(t, ada, task.ID, "main.py", c.code)
			if got := b.status(task.ID); got != tasks.StatusInReview {
				t.Errorf("after the submission the task is %s", got)
			}
			if got := b.Run(t, s.RunID); got.Status != validation.StatusQueued || got.QueuePosition != 1 {
				t.Errorf("the run is %s at place %d", got.Status, got.QueuePosition)
			}
			b.Drain(t)
			run := b.Run(t, s.RunID)
			if run.Verdict != c.verdict || run.Status != validation.StatusDone {
				t.Fatalf("verdict %s, status %s, report %+v; want %s", run.Verdict, run.Status, run.Report, c.verdict)
			}
			if run.TestsPassed != c.passed || (c.total > 0 && run.TestsTotal != c.total && c.name != "timeout") {
				t.Errorf("%d of %d tests passed, want %d of %d", run.TestsPassed, run.TestsTotal, c.passed, c.total)
			}
			if run.Report == nil || run.Report.Toolchain["python"] == "" || run.PluginVersion == "" || run.Summary.EN == "" || run.Summary.ES == "" {
				t.Errorf("the report lacks versions or summary: %+v", run)
			}
			if c.name == "passing" && (run.Report.Timings.Run <= 0 || run.Report.Timings.Prepare <= 0) {
				t.Errorf("timings are %+v", run.Report.Timings)
			}
			if got := b.status(task.ID); got != c.status {
				t.Errorf("the task is %s, want %s", got, c.status)
			}
			if got := b.types("run:" + run.ID); got != "validation.queued validation.started validation.completed" {
				t.Errorf("the run's events are %s", got)
			}
			if pushes := b.Pushes("ada", validation.PushStage); len(pushes) == 0 {
				t.Error("the learner was not told what is going on")
			}
		})
	}
	eventstest.Verify(t, b.log)
}

func TestATaskWithoutTestsIsUnprovenAndStaysInProgress(t *testing.T) {
	b := setup(t, validationtest.Options{})
	task := b.task(ada)
	s := b.Submit(t, ada, task.ID, "main.py", "print('hello')\n")
	b.Drain(t)
	if run := b.Run(t, s.RunID); run.Verdict != judging.VerdictUnproven || b.status(task.ID) != tasks.StatusInProgress {
		t.Errorf("verdict %s, task %s: %+v", run.Verdict, b.status(task.ID), run.Report)
	}
}

func TestBareCodeBecomesTheLanguagesDefaultFile(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}})
	task := b.task(ada, "test_main.py", doubleTest)
	code := "def double(n):\n    return 2 * n\n"
	s, err := b.TrySubmit(t.Context(), ada, validation.Submission{TaskID: task.ID, Code: &code, Language: "PY"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Service.Snapshot(t.Context(), ada, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Language != "python" || len(got.Files) != 1 || got.Files[0] != (validation.File{Path: "main.py", Content: code}) {
		t.Errorf("got %+v", got)
	}
	// Without a language, the names of the files say it.
	if _, err := b.TrySubmit(t.Context(), ada, validationtest.Files(b.withoutLanguage(ada).ID, "x.py", code)); err != nil {
		t.Errorf("a .py file was not taken for Python: %v", err)
	}
}

func TestAnEqualSubmissionOfTheSameTaskIsNotJudgedTwice(t *testing.T) {
	judge := &fake{}
	b := setup(t, validationtest.Options{Judge: judge})
	task, other := b.task(ada, "test_main.py", doubleTest), b.task(bob, "test_main.py", doubleTest)
	b.Submit(t, ada, task.ID, "main.py", "same")
	b.Drain(t)
	// A passed task is reopened to submit again.
	b.reopen(ada, task.ID)
	again := b.Submit(t, ada, task.ID, "main.py", "same")
	foreign := b.Submit(t, bob, other.ID, "main.py", "same")
	b.Drain(t)
	if run := b.Run(t, again.RunID); !run.Deduplicated || run.Verdict != judging.VerdictPassed || run.Report == nil {
		t.Errorf("the equal submission's run is %+v", run)
	}
	if run := b.Run(t, foreign.RunID); run.Deduplicated {
		t.Error("a verdict crossed from one learner to another")
	}
	if judge.order() != "same same" { //nolint:dupword // each is one
		t.Errorf("judged: %s", judge.order())
	}
	b.reopen(ada, task.ID)
	changed := b.withTests(task.ID, "test_main.py", "def test_other(): pass\n")
	if again := b.Submit(t, ada, changed.ID, "main.py", "same"); b.Drain(t) != 1 || b.Run(t, again.RunID).Deduplicated {
		t.Error("other tests got the verdict of the old ones")
	}
}

func TestAReportIsBoundedAndCleanHoweverHostileItsTextsAre(t *testing.T) {
	judge := &hostile{}
	b := setup(t, validationtest.Options{Judge: judge, Config: validation.Config{MaxReportBytes: 100_000}})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x")
	b.Drain(t)
	run := b.Run(t, s.RunID)
	if run.Verdict != judging.VerdictFailed || len(run.Report.Tests) != 300 {
		t.Fatalf("the run is %s with %d tests", run.Verdict, len(run.Report.Tests))
	}
	body, err := json.Marshal(run.Report)
	if err != nil || len(body) > 300_000 {
		t.Errorf("the report has %d bytes: %v", len(body), err)
	}
}
