package tasks

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/goals"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func at(version int64) goals.At {
	return goals.At{ID: "t", Time: noon.Add(time.Duration(version) * time.Minute), Version: version}
}

// next are all allowed transitions of a task without tests, done by its
// learner; every other pair is refused.
var next = map[Status]map[Action]Status{
	StatusTodo:       {Start: StatusInProgress, Submit: StatusInReview, Complete: StatusCompleted, Skip: StatusSkipped},
	StatusInProgress: {Submit: StatusInReview, Complete: StatusCompleted, Skip: StatusSkipped},
	StatusInReview:   {Submit: StatusInReview},
	StatusFailed:     {Start: StatusInProgress, Submit: StatusInReview, Complete: StatusCompleted, Skip: StatusSkipped},
	StatusCompleted:  {Reopen: StatusInProgress},
	StatusSkipped:    {Reopen: StatusInProgress},
}

var open = Around{Goal: goals.Goal{ID: "g", Status: goals.StatusInProgress}}

func do(t Task, a Action, around Around) ([]Change, error) {
	switch a {
	case Start:
		return t.Start(around)
	case Submit:
		return t.Submit(around, "s", t.SnapshotNumber+1)
	case Complete:
		return t.Complete(around, BySelf, nil)
	case Skip:
		return t.Skip(around)
	default:
		return t.Reopen(around)
	}
}

func applyAll(t Task, changes []Change) Task {
	for _, c := range changes {
		t = *Apply(&t, c, at(t.Version+1))
	}
	return t
}

func TestEveryActionOnEveryStatusIsAllowedOrRefusedAsDesigned(t *testing.T) {
	for _, from := range Statuses {
		for _, action := range Actions {
			task := Task{ID: "t", Status: from, Version: 3}
			changes, err := do(task, action, open)
			to, ok := next[from][action]
			if !ok {
				if !ErrStatus.Is(err) && !ErrDone.Is(err) {
					t.Errorf("%s on a %s task gave %v, want ErrStatus or ErrDone", action, from, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s on a %s task: %v", action, from, err)
				continue
			}
			if after := applyAll(task, changes); after.Status != to {
				t.Errorf("%s on a %s task led to %s, want %s", action, from, after.Status, to)
			}
		}
	}
}

func TestAClosedGoalHoldsItsTasksStill(t *testing.T) {
	for _, status := range []goals.Status{goals.StatusCompleted, goals.StatusCancelled} {
		around := Around{Goal: goals.Goal{ID: "g", Status: status}}
		for from, actions := range next {
			for action := range actions {
				changes, err := do(Task{ID: "t", Status: from}, action, around)
				if action == Reopen && status == goals.StatusCompleted {
					if err != nil || len(changes) != 1 {
						t.Errorf("reopening a %s task of a completed goal: %v", from, err)
					}
					continue
				}
				if !goals.ErrClosed.Is(err) {
					t.Errorf("%s on a %s task of a %s goal: %v, want ErrClosed", action, from, status, err)
				}
			}
		}
	}
}

func TestWhoseWordCompletesATask(t *testing.T) {
	tests := &Validation{Tests: []File{NewFile("t.py", "x", false)}}
	for _, kind := range Types {
		for _, v := range []*Validation{nil, {}, tests} {
			task := Task{Status: StatusInProgress, Details: Details{Type: kind, Validation: v}}
			needs := v == tests && (kind == TypeCode || kind == TypeTesting)
			if _, err := task.Complete(open, BySelf, nil); ErrNeedsVerdict.Is(err) != needs {
				t.Errorf("a %s task with %d tests, by self: %v", kind, len(v.Files()), err)
			}
			for _, status := range []Status{StatusTodo, StatusInProgress, StatusInReview, StatusFailed} {
				task.Status = status
				changes, err := task.Complete(open, ByTeacher, nil)
				if err != nil {
					t.Fatalf("a %s %s task by a teacher: %v", status, kind, err)
				}
				if after := applyAll(task, changes); after.CompletedBy != ByTeacher || after.CompletedAt.IsZero() || after.Resume != "" {
					t.Errorf("completed: %+v", after)
				}
			}
		}
	}
}

func TestATaskWaitsForWhatItDependsOn(t *testing.T) {
	first := Task{ID: "1", Details: Details{Title: "First"}}
	task := Task{ID: "2", Status: StatusTodo, Details: Details{DependsOn: []string{"1"}}}
	for _, status := range Statuses {
		first.Status = status
		around := Around{Goal: open.Goal, Siblings: []Task{first}}
		for _, action := range []Action{Start, Submit, Complete} {
			_, err := do(task, action, around)
			var e *errs.Error
			switch {
			case status.Done() && err != nil:
				t.Errorf("%s after a %s one: %v", action, status, err)
			case !status.Done() && (!errors.As(err, &e) || e.Kind != ErrDependencies || e.Details["waiting_for"] != "1"):
				t.Errorf("%s before a %s one: %v", action, status, err)
			}
		}
		if _, err := task.Complete(around, ByTeacher, nil); err != nil {
			t.Errorf("a teacher has to wait: %v", err)
		}
	}
}

func result(number int, verdict string) Result {
	return Result{RunID: "r", SnapshotID: fmt.Sprint("s", number), SnapshotNumber: number, Verdict: verdict, Score: 0.5}
}

func TestEachVerdictLeadsWhereItShould(t *testing.T) {
	for _, from := range []Status{StatusTodo, StatusInProgress, StatusFailed} {
		for verdict, want := range map[string]Status{
			"passed": StatusCompleted, "failed": StatusFailed, "invalid": StatusFailed, "timed_out": StatusFailed,
			"out_of_memory": StatusFailed, "output_limit": StatusFailed, "unproven": StatusInProgress, "platform_error": StatusInProgress,
		} {
			if verdict == "platform_error" && from == StatusFailed {
				want = StatusFailed
			}
			task := Task{ID: "t", Status: from, Version: 1}
			changes, err := task.Submit(open, "s1", 1)
			if err != nil {
				t.Fatal(err)
			}
			task = applyAll(task, changes)
			changes = task.Judge(result(1, verdict))
			after := applyAll(task, changes)
			if len(changes) != 1 || after.Status != want || after.Resume != "" {
				t.Errorf("%s, submitted, %s: %s after %v, want %s", from, verdict, after.Status, changes, want)
			}
			if told := after.Result != nil; told != (verdict != "platform_error") {
				t.Errorf("%s left the result %+v", verdict, after.Result)
			}
			if again := after.Judge(result(1, verdict)); again != nil {
				t.Errorf("%s told twice does %v", verdict, again)
			}
		}
	}
}

func TestALateVerdictNeverCoversANewerSubmission(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		task := Task{ID: "t", Status: StatusTodo, Version: 1}
		submitted := 0
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "submit") {
				changes, err := task.Submit(open, fmt.Sprint("s", submitted+1), submitted+1)
				if err == nil {
					submitted++
					task = applyAll(task, changes)
				}
				continue
			}
			number := rapid.IntRange(0, submitted).Draw(t, "number")
			before := task
			task = applyAll(task, task.Judge(result(number, rapid.SampledFrom([]string{"passed", "failed", "unproven", "platform_error"}).Draw(t, "verdict"))))
			if number != submitted && task.Version != before.Version {
				t.Fatalf("a verdict of %d changed a task at %d from %s to %s", number, submitted, before.Status, task.Status)
			}
			if before.Status.Done() && task.Version != before.Version {
				t.Fatalf("a verdict changed a task that was %s", before.Status)
			}
		}
	})
}

func TestAFailedTaskPassesWhenJudgedAgain(t *testing.T) {
	task := Task{ID: "t", Status: StatusFailed, SnapshotID: "s1", SnapshotNumber: 1}
	if after := applyAll(task, task.Judge(result(1, "passed"))); after.Status != StatusCompleted || after.CompletedBy != ByVerdict {
		t.Errorf("got %s by %s", after.Status, after.CompletedBy)
	}
	if changes := task.Judge(result(1, "failed")); changes != nil {
		t.Errorf("failing again does %v", changes)
	}
	// A task that was reopened is not completed by an old run that comes twice.
	task.Status = StatusInProgress
	if changes := task.Judge(result(1, "passed")); changes != nil {
		t.Errorf("an old run completes a reopened task: %v", changes)
	}
}

func TestCyclesAreRefusedAndNamed(t *testing.T) {
	chain := []Task{
		{ID: "a", Details: Details{Title: "A"}},
		{ID: "b", Details: Details{Title: "B", DependsOn: []string{"a"}}},
		{ID: "c", Details: Details{Title: "C", DependsOn: []string{"b"}}},
	}
	err := checkDependencies("a", Details{Title: "A", DependsOn: []string{"c"}}, chain[1:])
	var e *errs.Error
	if !errors.As(err, &e) || e.Kind != ErrCycle || e.Details["cycle"] != "a,c,b,a" || !strings.Contains(e.Text("es"), `"A" → "C" → "B" → "A"`) {
		t.Errorf("got %v", err)
	}
	if err := checkDependencies("a", Details{DependsOn: []string{"a"}}, nil); !ErrCycle.Is(err) {
		t.Errorf("a task that waits for itself: %v", err)
	}
	for name, on := range map[string][]string{"outside the goal": {"x"}, "twice": {"a", "a"}} {
		if err := checkDependencies("d", Details{DependsOn: on}, chain); !errs.BadInput.Is(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoSequenceOfEditsMakesACycle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 7).Draw(t, "tasks")
		list := make([]Task, n)
		for i := range list {
			list[i].ID = fmt.Sprint(i)
		}
		for range rapid.IntRange(1, 30).Draw(t, "edits") {
			i := rapid.IntRange(0, n-1).Draw(t, "task")
			on := rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 0, 3, rapid.ID).Draw(t, "on")
			d := Details{}
			for _, o := range on {
				d.DependsOn = append(d.DependsOn, fmt.Sprint(o))
			}
			others := slices.DeleteFunc(slices.Clone(list), func(s Task) bool { return s.ID == list[i].ID })
			err := checkDependencies(list[i].ID, d, others)
			before := list[i].DependsOn
			list[i].DependsOn = d.DependsOn
			if cyclic(list) != (err != nil) {
				t.Fatalf("%d on %v of %+v: %v", i, on, list, err)
			}
			if err != nil {
				list[i].DependsOn = before
			}
		}
	})
}

// cyclic takes away what depends on nothing until nothing is left to take.
func cyclic(list []Task) bool {
	gone := map[string]bool{}
	for range list {
		for _, t := range list {
			if !slices.ContainsFunc(t.DependsOn, func(on string) bool { return !gone[on] }) {
				gone[t.ID] = true
			}
		}
	}
	return len(gone) < len(list)
}

func TestHiddenTestsStayThoughTheirReaderDoesNotSeeThem(t *testing.T) {
	stored := &Validation{
		Tests:  []File{NewFile("seen.py", "1", false), NewFile("hidden.py", "2", true)},
		Limits: Limits{WallMS: 5}, Options: "{}",
	}
	task := Task{ID: "t", Details: Details{Title: "x", Type: TypeCode, Validation: stored.bare()}}
	learnersView := stored.WithoutHidden()
	if f := learnersView.Tests[1]; f.Content != "" || f.Digest != "" || f.Path != "hidden.py" {
		t.Fatalf("a learner sees %+v", f)
	}
	for name, sent := range map[string]*Validation{
		"sent back": learnersView, "cleared": nil, "left out": {}, "overwritten": {Tests: []File{NewFile("hidden.py", "pass", false)}},
	} {
		c, err := task.Update(Patch{Validation: &sent}, false, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		after := task
		if c != nil {
			after = *Apply(&task, c, at(2))
		}
		if !slices.ContainsFunc(after.Validation.Files(), func(f File) bool {
			return f.Path == "hidden.py" && f.Hidden && f.Digest == Digest("2")
		}) || !after.NeedsVerdict() {
			t.Errorf("%s: the hidden test became %+v", name, after.Validation)
		}
	}
	var none *Validation
	if c, err := task.Update(Patch{Validation: &none}, true, nil); err != nil || c.(Updated).Details.Validation != nil {
		t.Errorf("who sees it takes it away: %+v, %v", c, err)
	}
}

func TestAFileIsSentOrKnown(t *testing.T) {
	task := Task{ID: "t", Details: Details{Title: "x", Type: TypeCode, Validation: &Validation{Tests: []File{{Path: "a.py", Digest: Digest("1")}}}}}
	kept := &Validation{Tests: []File{{Path: "b.py", Digest: Digest("1")}}}
	if _, err := task.Update(Patch{Validation: &kept}, false, nil); err != nil {
		t.Errorf("a file of the task under another name: %v", err)
	}
	foreign := &Validation{Tests: []File{{Path: "b.py", Digest: Digest("of another task")}}}
	if _, err := task.Update(Patch{Validation: &foreign}, false, nil); !errs.BadInput.Is(err) {
		t.Errorf("a digest of nowhere: %v", err)
	}
}

func TestWhatCanNotBeKeptIsRefused(t *testing.T) {
	minus := -1.0
	many := &Validation{}
	for i := range 5 {
		many.Tests = append(many.Tests, NewFile(fmt.Sprint(i, ".py"), strings.Repeat("x", 1<<20), false))
	}
	file := func(path string) *Validation { return &Validation{Starter: []File{NewFile(path, "", false)}} }
	for field, d := range map[string]Details{
		"title":                      {Title: ""},
		"type":                       {Title: "t", Type: "magic"},
		"position":                   {Title: "t", Position: -1},
		"estimated_hours":            {Title: "t", EstimatedHours: &minus},
		"concepts[0]":                {Title: "t", Concepts: []string{""}},
		"metadata":                   {Title: "t", Metadata: "1"},
		"citations[0].end_line":      {Title: "t", Citations: []Citation{{StartLine: 3, EndLine: 2}}},
		"validation":                 {Title: "t", Validation: many},
		"validation.options":         {Title: "t", Validation: &Validation{Options: "[]"}},
		"validation.starter[0].path": {Title: "t", Validation: file("../x")},
	} {
		_, err := Create("ada", New{ID: "t", Details: d}, nil)
		var e *errs.Error
		if !errors.As(err, &e) || e.Kind != errs.BadInput || e.Fields[0].Path != field || e.Text("es") == e.Text("en") {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, path := range []string{"/etc/passwd", "a//b", "./a", "a/..", `a\b`, ".."} {
		if _, err := Create("ada", New{Details: Details{Title: "t", Validation: file(path)}}, nil); !errs.BadInput.Is(err) {
			t.Errorf("the path %q: %v", path, err)
		}
	}
}

func TestTheLastTaskComesBehindAllOthers(t *testing.T) {
	for want, siblings := range map[int][]Task{0: nil, 8: {{Details: Details{Position: 7}}, {Details: Details{Position: 2}}}} {
		c, err := Create("ada", New{Last: true, Details: Details{Title: "t"}}, siblings)
		if err != nil || c.(Created).Details.Position != want {
			t.Errorf("got %+v, %v; want position %d", c, err, want)
		}
	}
}

func TestHiddenFilesAreForTeachersOfTheCourse(t *testing.T) {
	task := Task{UserID: "ada", Details: Details{CourseID: "c1"}}
	for _, c := range []struct {
		actor auth.Actor
		sees  bool
	}{
		{auth.Actor{UserID: "ada", Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c1"}}, false},
		{auth.Actor{UserID: "tess", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c1"}}, true},
		{auth.Actor{UserID: "tom", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c2"}}, false},
		{auth.System("validation"), true},
	} {
		if task.SeesHidden(c.actor) != c.sees {
			t.Errorf("%s sees hidden files: %t", c.actor.Name(), !c.sees)
		}
	}
}
