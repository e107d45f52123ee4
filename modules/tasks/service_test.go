package tasks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
)

func TestATaskIsReadAsItWasWritten(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "c1")
	hours := 1.5
	n := taskstest.Code("Write ñ")
	n.Description, n.EstimatedHours, n.Concepts = "all of it", &hours, []string{"loops", "lists"}
	n.Citations = []tasks.Citation{{DocumentID: "d", Path: "a.md", Heading: "Lists > Slicing", StartLine: 3, EndLine: 9, Quote: "x"}}
	n.Metadata, n.Validation.Options = `{"a":[1,"é"]}`, `{"runner":"pytest"}`
	n.Validation.Limits = tasks.Limits{WallMS: 5000, MemoryBytes: 1 << 31}
	made := b.create(ada, g.ID, n)[0]
	read := b.get(system, made.ID)
	want := n.Details
	want.CourseID = "c1"
	if diff := cmp.Diff(want, read.Details, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("asked for and read differ:\n%s", diff)
	}
	if read.Version != 1 || read.Status != tasks.StatusTodo || read.UserID != "ada" || read.GoalID != g.ID {
		t.Errorf("got %+v", read)
	}
	b.verify()
}

func TestLearnersNeverSeeHiddenTests(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "c1")
	id := b.create(ada, g.ID, taskstest.Code("Write"))[0].ID
	content := func(actor auth.Actor, path string) string {
		for _, f := range b.get(actor, id).Validation.Files() {
			if f.Path == path {
				return f.Content
			}
		}
		t.Errorf("%s does not even see the path %s", actor.Name(), path)
		return ""
	}
	for _, actor := range []auth.Actor{tess, root, system} {
		if !strings.Contains(content(actor, "test_hidden.py"), "test_secret") {
			t.Errorf("%s does not see the hidden test", actor.Name())
		}
	}
	if content(ada, "test_hidden.py") != "" || content(ada, "test_visible.py") == "" || content(ada, "main.py") == "" {
		t.Error("a learner sees too much or too little")
	}
	// Nor in the log, which they may read, nor in its other fields.
	history, err := b.log.Show(t.Context(), "task:"+id)
	if err != nil || len(history) != 1 {
		t.Fatal(err)
	}
	if bytes.Contains(history[0].Raw, []byte("test_secret")) {
		t.Errorf("the event holds the hidden test: %s", history[0].Raw)
	}
	if !bytes.Contains(history[0].Raw, []byte(tasks.Digest("def test_secret(): pass\n"))) {
		t.Errorf("the event does not name the hidden test: %s", history[0].Raw)
	}
	page, err := b.tasks.List(t.Context(), ada, tasks.Query{})
	if err != nil || len(page.Tasks) != 1 || page.Tasks[0].Validation.Tests[1].Digest != "" {
		t.Errorf("in a list: %+v, %v", page, err)
	}
}

func TestAnUpdateOfTestsKeepsTheirContents(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "")
	id := b.create(ada, g.ID, taskstest.Code("Write"))[0].ID
	v := b.get(ada, id).Validation // as a learner has it
	v.Starter = []tasks.File{tasks.NewFile("other.py", "new", false)}
	if _, err := b.update(ada, id, tasks.Patch{Validation: &v}); err != nil {
		t.Fatal(err)
	}
	contents := map[string]string{}
	for _, f := range b.get(system, id).Validation.Files() {
		contents[f.Path] = f.Content
	}
	want := map[string]string{"test_visible.py": "def test_a(): pass\n", "test_hidden.py": "def test_secret(): pass\n", "other.py": "new"}
	if diff := cmp.Diff(want, contents); diff != "" {
		t.Error(diff)
	}
	var rows int
	if err := b.db.Pool().QueryRow(t.Context(), "SELECT count(*) FROM tasks.files").Scan(&rows); err != nil || rows != 3 {
		t.Errorf("%d files are kept, want 3 (%v)", rows, err)
	}
	b.verify()
	if err := b.remove(ada, id); err != nil {
		t.Fatal(err)
	}
	if err := b.db.Pool().QueryRow(t.Context(), "SELECT count(*) FROM tasks.files").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d files outlive their task (%v)", rows, err)
	}
}

func TestAGoalGoesAlongWithItsTasks(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "")
	list := b.create(ada, g.ID, taskstest.Reading("1"), taskstest.Reading("2"), taskstest.Reading("3"), taskstest.Code("4"))
	id := func(n int) string { return list[n-1].ID }
	b.goalIs(g.ID, goals.StatusPending, 0)
	ok := func(_ tasks.Task, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(b.start(ada, id(1)))
	b.goalIs(g.ID, goals.StatusInProgress, 0)
	ok(b.complete(ada, id(1)))
	b.goalIs(g.ID, goals.StatusInProgress, 25)
	ok(b.skip(ada, id(2)))
	b.goalIs(g.ID, goals.StatusInProgress, 100.0/3)
	ok(b.complete(ada, id(3)))
	r, err := b.submit(ada, id(4), "passed")
	if err != nil {
		t.Fatal(err)
	}
	ok(b.verdict(id(4), r))
	b.goalIs(g.ID, goals.StatusCompleted, 100)
	if _, err := b.start(ada, id(2)); err == nil {
		t.Error("a task of a completed goal was started")
	}
	ok(b.reopen(ada, id(2)))
	b.goalIs(g.ID, goals.StatusInProgress, 75)
	if err := b.remove(ada, id(2)); err != nil {
		t.Fatal(err)
	}
	b.goalIs(g.ID, goals.StatusCompleted, 100)
	b.typesAre("goal", g.ID, "goal.created", "goal.started", "goal.completed", "goal.reopened", "goal.completed")
	b.verify()
}

func TestManyTasksAtOnceTellTheirGoalOnce(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "")
	news := make([]tasks.New, 30)
	for i := range news {
		news[i] = taskstest.Reading(fmt.Sprint(i))
	}
	for i, task := range b.create(ada, g.ID, news...) {
		if task.Position != i {
			t.Errorf("task %d is at %d", i, task.Position)
		}
	}
	b.typesAre("goal-progress", g.ID, "goal.progressed")
	b.verify()
}

func TestTasksOfAPlanMayDependOnEachOtherInAnyOrder(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "")
	first, second := taskstest.Reading("first"), taskstest.Reading("second")
	first.ID, second.ID = uuid.NewString(), uuid.NewString()
	second.DependsOn = []string{strings.ToUpper(first.ID)}
	made := b.create(ada, g.ID, second, first)
	if !slices.Equal(made[0].DependsOn, []string{first.ID}) {
		t.Errorf("depends on %v", made[0].DependsOn)
	}
	if _, err := b.start(ada, second.ID); !tasks.ErrDependencies.Is(err) {
		t.Errorf("the second one first: %v", err)
	}
	on := []string{second.ID}
	if _, err := b.update(ada, first.ID, tasks.Patch{DependsOn: &on}); !tasks.ErrCycle.Is(err) {
		t.Errorf("a cycle: %v", err)
	}
	third, fourth := taskstest.Reading("third"), taskstest.Reading("fourth")
	third.ID, fourth.ID = uuid.NewString(), uuid.NewString()
	third.DependsOn, fourth.DependsOn = []string{fourth.ID}, []string{third.ID}
	_, err := b.do(ada, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		_, err := b.tasks.CreateTx(ctx, tx, g.ID, third, fourth)
		return tasks.Task{}, err
	})
	if !tasks.ErrCycle.Is(err) {
		t.Errorf("a plan with a cycle: %v", err)
	}
	_, err = b.do(ada, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		_, err := b.tasks.CreateTx(ctx, tx, g.ID, first)
		return tasks.Task{}, err
	})
	if !tasks.ErrTaken.Is(err) {
		t.Errorf("an id that is taken: %v", err)
	}
	if err := b.remove(ada, first.ID); err != nil {
		t.Fatal(err)
	}
	if left := b.get(ada, second.ID); len(left.DependsOn) != 0 || left.Version != 2 {
		t.Errorf("after its deletion the second depends on %v, version %d", left.DependsOn, left.Version)
	}
	b.verify()
}

func TestOfTwoEditsThatTogetherMakeACycleOneIsRefused(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "")
	list := b.create(ada, g.ID, taskstest.Reading("1"), taskstest.Reading("2"))
	for range 5 {
		var wg sync.WaitGroup
		results := make([]error, 2)
		for i := range results {
			on := []string{list[1-i].ID}
			wg.Go(func() { _, results[i] = b.update(ada, list[i].ID, tasks.Patch{DependsOn: &on}) })
		}
		wg.Wait()
		if (results[0] == nil) == (results[1] == nil) || !tasks.ErrCycle.Is(errors.Join(results...)) {
			t.Errorf("got %v", results)
		}
		none := []string{}
		for i := range results {
			if _, err := b.update(ada, list[i].ID, tasks.Patch{DependsOn: &none}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestTheLastTwoTasksCompletedTogetherCompleteTheGoal(t *testing.T) {
	b := setup(t)
	for range 5 {
		g := b.goal(ada, "")
		var wg sync.WaitGroup
		for _, task := range b.create(ada, g.ID, taskstest.Reading("1"), taskstest.Reading("2")) {
			wg.Go(func() {
				if _, err := b.complete(ada, task.ID); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		b.goalIs(g.ID, goals.StatusCompleted, 100)
	}
	b.verify()
}

func TestDeletingAGoalBesideItsTasksIsNoDeadEnd(t *testing.T) {
	b := setup(t)
	for range 10 {
		g := b.goal(ada, "")
		list := b.create(ada, g.ID, taskstest.Reading("1"), taskstest.Reading("2"))
		var wg sync.WaitGroup
		for _, task := range list {
			wg.Go(func() {
				if _, err := b.complete(ada, task.ID); err != nil && !tasks.ErrNotFound.Is(err) {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			if _, err := b.do(ada, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
				return tasks.Task{}, b.goals.DeleteTx(ctx, tx, g.ID, nil)
			}); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
	}
	b.verify()
}

func TestDeletingAGoalDeletesItsTasksWithTheirEvents(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "c1")
	list := b.create(ada, g.ID, taskstest.Code("1"), taskstest.Reading("2"))
	if _, err := b.complete(ada, list[1].ID); err != nil {
		t.Fatal(err)
	}
	b.must(ada, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return tasks.Task{}, b.goals.DeleteTx(ctx, tx, g.ID, nil)
	})
	b.typesAre("task", list[0].ID, "task.created", "task.deleted")
	b.typesAre("goal", g.ID, "goal.created", "goal.started", "goal.deleted")
	var left int
	err := b.db.Pool().QueryRow(t.Context(), `SELECT (SELECT count(*) FROM tasks.tasks) + (SELECT count(*) FROM tasks.files)
		+ (SELECT count(*) FROM goals.goals) + (SELECT count(*) FROM goals.goal_progress)`).Scan(&left)
	if err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
	b.verify()
}

func TestTasksFollowTheirGoalToAnotherCourse(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "c1")
	id := b.create(ada, g.ID, taskstest.Code("1"))[0].ID
	course := "c2"
	b.must(ada, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		_, err := b.goals.UpdateTx(ctx, tx, g.ID, nil, goals.Patch{CourseID: &course})
		return tasks.Task{}, err
	})
	if _, err := b.tasks.Get(t.Context(), tess, id); !tasks.ErrNotFound.Is(err) {
		t.Errorf("the old teacher: %v", err)
	}
	if got := b.get(tom, id); got.CourseID != "c2" || got.Version != 2 || got.Validation.Tests[1].Content == "" {
		t.Errorf("the new teacher sees %+v", got)
	}
	b.verify()
}

func TestATeacherCompletesTasksOfTheirClassAndNothingElse(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "c1")
	list := b.create(ada, g.ID, taskstest.Code("1"), taskstest.Reading("2"))
	for _, actor := range []auth.Actor{bob, tom, {}} {
		if _, err := b.complete(actor, list[0].ID); !tasks.ErrNotFound.Is(err) {
			t.Errorf("%q completes: %v", actor.Name(), err)
		}
	}
	if _, err := b.complete(ada, list[0].ID); !tasks.ErrNeedsVerdict.Is(err) {
		t.Errorf("the learner completes: %v", err)
	}
	done, err := b.complete(tess, list[0].ID)
	if err != nil || done.CompletedBy != tasks.ByTeacher {
		t.Fatalf("the teacher completes: %+v, %v", done, err)
	}
	b.goalIs(g.ID, goals.StatusInProgress, 50)
	if done, err = b.complete(root, list[1].ID); err != nil || done.CompletedBy != tasks.ByTeacher {
		t.Fatalf("the admin completes: %+v, %v", done, err)
	}
	b.goalIs(g.ID, goals.StatusCompleted, 100)
	title := "mine"
	for name, try := range map[string]func() error{
		"update": func() error { _, err := b.update(tess, list[0].ID, tasks.Patch{Title: &title}); return err },
		"delete": func() error { return b.remove(tess, list[0].ID) },
		"start":  func() error { _, err := b.start(tess, list[0].ID); return err },
		"skip":   func() error { _, err := b.skip(tess, list[0].ID); return err },
		"reopen": func() error { _, err := b.reopen(tess, list[0].ID); return err },
		"submit": func() error { _, err := b.submit(tess, list[0].ID, ""); return err },
		"judge": func() error {
			_, err := b.do(tess, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
				return b.tasks.VerdictTx(ctx, tx, list[0].ID, tasks.Result{})
			})
			return err
		},
		"create": func() error {
			_, err := b.do(tess, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
				_, err := b.tasks.CreateTx(ctx, tx, g.ID, taskstest.Reading("3"))
				return tasks.Task{}, err
			})
			return err
		},
	} {
		if err := try(); !errs.Forbidden.Is(err) {
			t.Errorf("a teacher may %s: %v", name, err)
		}
	}
	if _, err := b.complete(system, list[0].ID); !errs.Forbidden.Is(err) {
		t.Errorf("the system completes by its word: %v", err)
	}
	own := goalstest.Create(t, b.db, b.goals, tess, "c1", "Learn too")
	mine := b.create(tess, own.ID, taskstest.Reading("1"), taskstest.Code("2"))
	for i, want := range []tasks.CompletedBy{tasks.BySelf, tasks.ByTeacher} {
		if done, err := b.complete(tess, mine[i].ID); err != nil || done.CompletedBy != want {
			t.Errorf("a teacher's own task: %s, %v; want %s", done.CompletedBy, err, want)
		}
	}
	b.verify()
}

func TestAGoalDeletedRightAfterItsTaskWasCompletedIsLeftAlone(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "")
	id := b.create(ada, g.ID, taskstest.Reading("1"))[0].ID
	b.must(ada, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		if _, err := b.tasks.CompleteTx(ctx, tx, id, nil, nil); err != nil {
			return tasks.Task{}, err
		}
		return tasks.Task{}, b.goals.DeleteTx(ctx, tx, g.ID, nil)
	})
	b.typesAre("goal", g.ID, "goal.created", "goal.deleted")
	b.typesAre("task", id, "task.created", "task.started", "task.completed", "task.deleted")
	b.verify()
}
