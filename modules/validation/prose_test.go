package validation_test

import (
	"context"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// written is a bundle that judges Python and takes prose.
func written(t *testing.T) *bundle {
	t.Helper()
	return setup(t, validationtest.Options{Host: validators(t, "validator-python", "validator-text"), Config: validation.DefaultConfig()})
}

func (b *bundle) ofType(kind tasks.Type, language string) tasks.Task {
	b.t.Helper()
	goal := goalstest.Create(b.t, b.DB, b.goals, ada, "", "Explain")
	return taskstest.Create(b.t, b.DB, b.tasks, ada, goal.ID, tasks.New{Details: tasks.Details{Title: "In your own words", Type: kind, Language: language}})[0]
}

func (b *bundle) language(task tasks.Task, files ...string) string {
	b.t.Helper()
	var s validation.Snapshot
	b.do(ada, func(ctx context.Context, tx *postgres.Tx) (err error) {
		s, err = b.Service.SubmitTx(ctx, tx, validationtest.Files(task.ID, files...))
		return err
	})
	return s.Language
}

func TestWorkThatNoTestDecidesIsTakenInProseAndProvesNothing(t *testing.T) {
	b := written(t)
	task := b.ofType(tasks.TypeResearch, "")
	if got := b.language(task, "answer.md", "A loop repeats a block.\n"); got != judging.LanguageText {
		t.Fatalf("taken as %q", got)
	}
	b.next(1)
	page, err := b.Service.Snapshots(t.Context(), ada, validation.Query{TaskID: task.ID})
	if err != nil || page.Snapshots[0].Verdict != judging.VerdictUnproven {
		t.Errorf("%+v, %v", page, err)
	}
	if got := b.status(task.ID); got != tasks.StatusInProgress {
		t.Errorf("the task is %s", got)
	}
}

func TestProseBesideCodeIsCode(t *testing.T) {
	b := written(t)
	for name, c := range map[string]struct {
		task  tasks.Task
		files []string
		want  string
	}{
		"a program with its README":          {b.ofType(tasks.TypeOther, ""), []string{"main.py", "x = 1\n", "README.md", "Run it.\n"}, "python"},
		"prose where the course is Python's": {b.ofType(tasks.TypeDocumentation, "python"), []string{"notes.md", "Notes.\n"}, judging.LanguageText},
		"files of no language":               {b.ofType(tasks.TypeDeployment, ""), []string{"Dockerfile", "FROM debian\n"}, judging.LanguageText},
		"a code task in Python":              {b.ofType(tasks.TypeCode, "python"), []string{"notes.md", "Notes.\n"}, "python"},
		"a code task of no language":         {b.ofType(tasks.TypeCode, ""), []string{"main.py", "x = 1\n", "notes.txt", "Notes.\n"}, "python"},
	} {
		if got := b.language(c.task, c.files...); got != c.want {
			t.Errorf("%s is taken as %q, want %q", name, got, c.want)
		}
	}
}
