package tasks_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/internal/store"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
)

// other is another value for a column, in SQL, by type.
func (b bundle) other(column, dataType string) string {
	switch column {
	case "goal_id":
		return "'" + b.goal(ada, "c1").ID + "'" // another goal that is there
	case "type":
		return `CASE WHEN type = 'code' THEN 'other' ELSE 'code' END`
	case "status":
		return `CASE WHEN status = 'failed' THEN 'skipped' ELSE 'failed' END`
	case "completed_by":
		return `CASE WHEN completed_by = 'self' THEN 'teacher' ELSE 'self' END`
	case "resume_status":
		return `CASE WHEN resume_status = 'failed' THEN 'in_progress' ELSE 'failed' END`
	}
	switch dataType {
	case "uuid":
		return "gen_random_uuid()"
	case "text":
		return fmt.Sprintf("coalesce(%s, '') || 'x'", column)
	case "ARRAY":
		return map[string]string{"depends_on": "depends_on || gen_random_uuid()", "concepts": "concepts || ARRAY['x']"}[column]
	case "json":
		return `'{"tampered":true}'::json`
	case "timestamp with time zone":
		return fmt.Sprintf("coalesce(%s, now()) + interval '1 microsecond'", column)
	case "integer", "bigint", "double precision":
		return fmt.Sprintf("coalesce(%s, 0) + 1", column)
	}
	return ""
}

func TestChangingAnyColumnTurnsVerifyRedAndRebuildRestoresIt(t *testing.T) {
	b := setup(t)
	hours := 2.5
	n := taskstest.Code("Write")
	n.EstimatedHours, n.Concepts, n.Citations, n.Metadata = &hours, []string{"loops"}, []tasks.Citation{{Path: "a.md"}}, `{"a":1.50}`
	list := b.create(ada, b.goal(ada, "c1").ID, n, taskstest.Reading("Read"))
	r, err := b.submit(ada, list[0].ID, "failed")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.verdict(list[0].ID, r); err != nil {
		t.Fatal(err)
	}
	if _, err := b.submit(ada, list[0].ID, ""); err != nil {
		t.Fatal(err)
	}
	b.verify()
	pool := b.db.Pool()
	rows, err := pool.Query(t.Context(), `SELECT column_name, data_type FROM information_schema.columns
		WHERE table_schema = 'tasks' AND table_name = 'tasks'`)
	if err != nil {
		t.Fatal(err)
	}
	type column struct{ Name, Type string }
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	if err != nil || len(columns) < 28 {
		t.Fatalf("%d columns: %v", len(columns), err)
	}
	for _, id := range []string{list[0].ID, list[1].ID} {
		for _, c := range columns {
			value := b.other(c.Name, c.Type)
			if value == "" {
				t.Errorf("no way to change %s of type %s is known", c.Name, c.Type)
				continue
			}
			change := fmt.Sprintf("UPDATE tasks.tasks SET %s = %s WHERE id = $1", c.Name, value)
			if tag, err := pool.Exec(t.Context(), change, id); err != nil || tag.RowsAffected() != 1 {
				t.Fatalf("%s: %v, %v", change, tag, err)
			}
			if report, err := b.log.Verify(t.Context(), events.VerifyOptions{StreamTypes: []string{tasks.Stream}}); err != nil || report.OK() {
				t.Errorf("verify is green though %s was changed (%v)", c.Name, err)
			}
			if _, err := b.log.Rebuild(t.Context(), tasks.Stream); err != nil {
				t.Fatalf("rebuild after %s: %v", c.Name, err)
			}
			b.verify()
		}
	}
	if _, err := pool.Exec(t.Context(), "DELETE FROM goals.goals"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.log.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.verify()
	if f := b.get(system, list[0].ID).Validation.Tests[1]; !strings.Contains(f.Content, "test_secret") {
		t.Errorf("after goals and tasks were rebuilt the hidden test is %+v", f)
	}
}

func TestWhateverIsDoneLogAndRowsAgree(t *testing.T) {
	b := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		goal := b.goal(ada, "c1")
		ids := []string{}
		for range rapid.IntRange(1, 15).Draw(rt, "steps") {
			actor := rapid.SampledFrom([]auth.Actor{ada, ada, ada, tess, system}).Draw(rt, "actor")
			_, err := b.do(actor, func(ctx context.Context, tx *postgres.Tx) (task tasks.Task, err error) {
				// Several acts may share a unit of work.
				for range rapid.IntRange(1, 3).Draw(rt, "acts") {
					if task, err = b.act(ctx, tx, rt, goal.ID, &ids); err != nil {
						return task, err
					}
				}
				return task, nil
			})
			if err != nil && errs.CodeOf(err) == errs.Internal {
				rt.Fatal(err)
			}
		}
		report, err := b.log.Verify(context.Background(), events.VerifyOptions{})
		if err != nil || !report.OK() {
			rt.Fatalf("%v, %v", report.Differences, err)
		}
		b.progressIsRight(rt, goal.ID)
	})
	if _, err := b.log.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.verify()
}

// progressIsRight counts a goal's tasks anew.
func (b bundle) progressIsRight(rt *rapid.T, goalID string) {
	g, err := b.goals.Get(context.Background(), system, goalID)
	if goals.ErrNotFound.Is(err) {
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	page, err := b.tasks.List(context.Background(), system, tasks.Query{GoalID: goalID, Size: 100})
	if err != nil {
		rt.Fatal(err)
	}
	total, done := 0, 0
	for _, t := range page.Tasks {
		if t.Status != tasks.StatusSkipped {
			total++
		}
		if t.Status == tasks.StatusCompleted {
			done++
		}
	}
	want := 0.0
	if total > 0 {
		want = 100 * float64(done) / float64(total)
	}
	if !g.Progress.Manual && g.Progress.Percent != want {
		rt.Fatalf("%d of %d are done, the progress is %v", done, total, g.Progress.Percent)
	}
}

// act does something at random; a unit of work that fails may leave ids of
// tasks that never came to be, which are then not found.
func (b bundle) act(ctx context.Context, tx *postgres.Tx, rt *rapid.T, goalID string, ids *[]string) (t tasks.Task, err error) {
	kind := rapid.IntRange(0, 13).Draw(rt, "kind")
	if len(*ids) == 0 || kind < 2 {
		n := rapid.SampledFrom([]func(string) tasks.New{taskstest.Code, taskstest.Reading}).Draw(rt, "type")("Do")
		if len(*ids) > 0 && rapid.Bool().Draw(rt, "depends") {
			n.DependsOn = []string{(*ids)[len(*ids)-1]}
		}
		made, err := b.tasks.CreateTx(ctx, tx, goalID, n)
		if err == nil {
			*ids = append(*ids, made[0].ID)
		}
		return t, err
	}
	id := rapid.SampledFrom(*ids).Draw(rt, "id")
	switch kind {
	case 2:
		return b.tasks.StartTx(ctx, tx, id, nil)
	case 3, 4:
		return b.tasks.CompleteTx(ctx, tx, id, nil, nil)
	case 5:
		return b.tasks.SkipTx(ctx, tx, id, nil)
	case 6:
		return b.tasks.ReopenTx(ctx, tx, id, nil)
	case 7:
		return t, b.tasks.DeleteTx(ctx, tx, id, nil)
	case 8, 9:
		t, err := b.tasks.LockTx(ctx, tx, id)
		if err != nil {
			return t, err
		}
		return b.tasks.SubmitTx(ctx, tx, id, uuid.NewString(), t.SnapshotNumber+1)
	case 10, 11:
		t, err := b.tasks.GetTx(ctx, tx, id)
		if err != nil {
			return t, err
		}
		verdict := rapid.SampledFrom([]string{"passed", "failed", "unproven", "platform_error"}).Draw(rt, "verdict")
		return b.tasks.VerdictTx(ctx, tx, id, tasks.Result{SnapshotID: t.SnapshotID, SnapshotNumber: t.SnapshotNumber, Verdict: verdict})
	case 12:
		course := rapid.SampledFrom([]string{"c1", "c2"}).Draw(rt, "course")
		_, err := b.goals.UpdateTx(ctx, tx, goalID, nil, goals.Patch{CourseID: &course})
		return t, err
	default:
		return t, b.goals.DeleteTx(ctx, tx, goalID, nil)
	}
}

func TestEveryStatementIsUnderstoodByTheDatabase(t *testing.T) {
	b := setup(t)
	conn, err := b.db.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	seen := 0
	for _, s := range postgres.Statements() {
		if !strings.HasPrefix(s.Name(), "tasks.") {
			continue
		}
		seen++
		if _, err := conn.Conn().Prepare(t.Context(), s.Name(), s.Numbered()); err != nil {
			t.Errorf("%s: %v", s.Name(), err)
		}
	}
	if seen < 12 {
		t.Errorf("only %d statements were seen", seen)
	}
}

func TestWithoutTheirFiltersStatementsReadNoForeignRow(t *testing.T) {
	b := setup(t)
	b.create(ada, b.goal(ada, "c1").ID, taskstest.Code("mine"))
	class := b.create(bob, b.goal(bob, "c1").ID, taskstest.Code("bob's"))[0]
	foreign := b.create(tom, b.goal(tom, "c2").ID, taskstest.Code("tom's"))[0]
	scoped := 0
	for _, s := range postgres.Statements() {
		// Files have no filter: who may read them is said by their task's row.
		if !strings.HasPrefix(s.Name(), "tasks.") || !strings.Contains(s.Text(), "/*scope*/") && s.Name() != "tasks.files.read" {
			continue
		}
		scoped++
		for _, c := range []struct {
			actor   auth.Actor
			foreign []tasks.Task
		}{{ada, []tasks.Task{class, foreign}}, {tess, []tasks.Task{foreign}}, {auth.Actor{}, []tasks.Task{class, foreign}}} {
			for _, task := range c.foreign {
				args := postgres.Args{}
				for name, value := range store.Scope(c.actor, postgres.Args{
					"id": task.ID, "task": task.ID, "goal": task.GoalID, "user": task.UserID, "course": task.CourseID,
					"statuses": []string{}, "types": []string{}, "size": 100,
					"after_goal": store.First.GoalID, "after_position": store.First.Position, "after_id": store.First.ID,
				}) {
					if slices.Contains(strings.FieldsFunc(s.Unscoped().Text(), func(r rune) bool { return !strings.ContainsRune("@_abcdefghijklmnopqrstuvwxyz", r) }), "@"+name) {
						args[name] = value
					}
				}
				if b.reads(c.actor, s, args, task.ID) {
					t.Errorf("%s without its filter shows %q the task of %s", s.Name(), c.actor.Name(), task.UserID)
				}
				// The same as the system, to see that the case is no blank.
				if !b.reads(system, s, args, task.ID) {
					t.Errorf("%s does not read the task even as the system: the case proves nothing", s.Name())
				}
			}
		}
	}
	if scoped < 7 {
		t.Errorf("only %d statements have a scope", scoped)
	}
	for _, actor := range []auth.Actor{ada, tom} {
		_, err := b.do(actor, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
			stolen := class
			stolen.Title = "stolen"
			_, err := store.Update(ctx, tx, stolen)
			if err == nil {
				err = store.Delete(ctx, tx, class.ID)
			}
			return stolen, err
		})
		if got := b.get(bob, class.ID); got.Title != "bob's" || len(got.Validation.Tests) != 2 || got.Validation.Tests[0].Content == "" {
			t.Errorf("%s wrote bob's task (%v): %+v", actor.Name(), err, got)
		}
	}
}

// reads reports whether an unscoped statement gives a task, or something of its
// files; in a unit of work so that FOR UPDATE is allowed.
func (b bundle) reads(actor auth.Actor, s *postgres.Statement, args postgres.Args, id string) (found bool) {
	b.Helper()
	b.must(actor, func(ctx context.Context, tx *postgres.Tx) (t tasks.Task, err error) {
		rows, err := tx.Query(ctx, s.Unscoped(), args)
		if err != nil {
			return t, err
		}
		defer rows.Close()
		for found = false; rows.Next(); {
			values, err := rows.Values()
			if err != nil {
				return t, err
			}
			key, isID := values[0].([16]byte)
			found = found || !isID || uuid.UUID(key).String() == id
		}
		return t, rows.Err()
	})
	return found
}
