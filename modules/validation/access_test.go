package validation_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/privacy"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	validationv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
)

func TestOnlyTheLearnerAndTheCoursesTeachersReadSnapshotsAndRuns(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x")
	b.Drain(t)
	for _, c := range []struct {
		actor auth.Actor
		reads bool
	}{
		{ada, true}, {miss, true}, {goalstest.Admin("root"), true}, {auth.System("test"), true},
		{bob, false}, {cleo, false}, {goalstest.Teacher("ted", "c2"), false}, {auth.Actor{}, false},
	} {
		_, err := b.Service.Snapshot(t.Context(), c.actor, s.ID)
		if (err == nil) != c.reads || (err != nil && !validation.ErrSnapshotNotFound.Is(err)) {
			t.Errorf("snapshot as %q: %v", c.actor.Name(), err)
		}
		run, err := b.Service.Run(t.Context(), c.actor, s.RunID)
		if (err == nil) != c.reads || (err != nil && !validation.ErrRunNotFound.Is(err)) || (c.reads && run.Report == nil) {
			t.Errorf("run as %q: %v", c.actor.Name(), err)
		}
		page, err := b.Service.Snapshots(t.Context(), c.actor, validation.Query{TaskID: task.ID})
		if (err == nil) != c.reads || (err != nil && !tasks.ErrNotFound.Is(err)) || (c.reads && len(page.Snapshots) != 1) {
			t.Errorf("snapshots as %q: %d, %v", c.actor.Name(), len(page.Snapshots), err)
		}
	}
	if _, err := b.TrySubmit(t.Context(), miss, validationtest.Files(task.ID, "main.py", "x")); !errs.Forbidden.Is(err) {
		t.Errorf("a teacher submitted for a learner: %v", err)
	}
	if _, err := b.TrySubmit(t.Context(), bob, validationtest.Files(task.ID, "main.py", "x")); !tasks.ErrNotFound.Is(err) {
		t.Errorf("another submitted: %v", err)
	}
}

// Row-level security stands behind the statements' own filters.
func TestStatementsWithoutTheirFilterReadNoForeignRow(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x")
	b.Drain(t)
	args := map[string]postgres.Args{
		"validation.snapshots.get":  {"id": s.ID},
		"validation.snapshots.list": {"task": task.ID, "before": 100, "size": 10},
		"validation.runs.get":       {"id": s.RunID},
	}
	tried := 0
	for _, statement := range postgres.Statements() {
		a, ok := args[statement.Name()]
		if !ok {
			continue
		}
		tried++
		open := statement.Unscoped()
		for _, c := range []struct {
			actor auth.Actor
			rows  int
		}{{ada, 1}, {miss, 1}, {bob, 0}, {cleo, 0}, {goalstest.Teacher("ted", "c2"), 0}} {
			rows, err := b.DB.As(c.actor).Query(t.Context(), open, a)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for rows.Next() {
				n++
			}
			rows.Close()
			if err := rows.Err(); err != nil || n != c.rows {
				t.Errorf("%s as %s reads %d rows, want %d: %v", statement.Name(), c.actor.Name(), n, c.rows, err)
			}
		}
	}
	if tried != len(args) {
		t.Errorf("%d of %d statements were found", tried, len(args))
	}
}

var tampering = map[string]*postgres.Statement{
	"change a snapshot":     postgres.SQL("test.validation.snapshot", `UPDATE validation.code_snapshots SET digest = 'x'`),
	"delete a snapshot":     postgres.SQL("test.validation.snapshot_gone", `DELETE FROM validation.code_snapshots`),
	"change a report":       postgres.SQL("test.validation.report", `UPDATE validation.reports SET report = '{}'`),
	"write a report":        postgres.SQL("test.validation.new_report", `INSERT INTO validation.reports (run_id, task_id, user_id, report, created_at) VALUES (gen_random_uuid(), gen_random_uuid(), 'ada', '{}', now())`),
	"delete a run":          postgres.SQL("test.validation.run", `DELETE FROM validation.runs`),
	"gain time":             postgres.SQL("test.validation.shares", `UPDATE validation.shares SET virtual_time = 0`),
	"read others' verdicts": postgres.SQL("test.validation.verdicts", `SELECT run_id FROM validation.verdicts`),
}

func TestNobodyChangesFactsNotEvenTheirOwn(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}})
	b.Submit(t, ada, b.task(ada, "test_main.py", doubleTest).ID, "main.py", "x")
	b.Drain(t)
	for what, statement := range tampering {
		for _, actor := range []auth.Actor{ada, miss, goalstest.Admin("root")} {
			_, err := b.DB.As(actor).Exec(t.Context(), statement, postgres.Args{})
			var pg *pgconn.PgError
			if !errors.As(err, &pg) || pg.Code != "42501" {
				t.Errorf("%s as %s: got %v", what, actor.Name(), err)
			}
		}
	}
	if _, err := b.DB.As(auth.System("test")).Exec(t.Context(), tampering["change a snapshot"], postgres.Args{}); err == nil {
		t.Error("the system changed a snapshot")
	}
}

func TestDeletingAGoalDeletesItsSnapshotsAndRunsAndKeepsTheirEvents(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}})
	task, other := b.task(ada, "test_main.py", doubleTest), b.task(ada, "test_main.py", doubleTest)
	judged := b.Submit(t, ada, task.ID, "main.py", "x")
	b.Drain(t)
	b.reopen(ada, task.ID)
	waiting := b.Submit(t, ada, task.ID, "main.py", "y")
	kept := b.Submit(t, ada, other.ID, "main.py", "z")
	b.do(ada, func(ctx context.Context, tx *postgres.Tx) error { return b.goals.DeleteTx(ctx, tx, task.GoalID, nil) })
	for _, table := range []string{"code_snapshots", "runs", "reports", "queue", "verdicts"} {
		if n := b.count("SELECT count(*) FROM validation."+table+" WHERE task_id = $1", task.ID); n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
	for _, s := range []validation.Snapshot{judged, waiting} {
		if _, err := b.Service.Run(t.Context(), ada, s.RunID); !validation.ErrRunNotFound.Is(err) {
			t.Errorf("the run of snapshot %d: %v", s.Number, err)
		}
	}
	if got := b.types("run:" + waiting.RunID); got != "validation.queued validation.completed" {
		t.Errorf("events of the run that waited: %s", got)
	}
	if got := b.Run(t, kept.RunID); got.Status != validation.StatusQueued {
		t.Errorf("the other task's run is %s", got.Status)
	}
	if b.Drain(t) != 1 {
		t.Error("the other task's run was not judged")
	}
	eventstest.Verify(t, b.log)
}

func TestEveryColumnOfARunTurnsVerifyRedAndRebuildRestoresIt(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}})
	task := b.task(ada, "test_main.py", doubleTest)
	b.Submit(t, ada, task.ID, "main.py", "one")
	b.Submit(t, ada, task.ID, "main.py", "two")
	b.do(ada, func(ctx context.Context, tx *postgres.Tx) error { // feeds goals.goal_progress
		_, err := b.goals.SetProgressTx(ctx, tx, b.task(ada).GoalID, 10)
		return err
	})
	b.Drain(t)
	eventstest.EveryColumnTurnsRed(t, b.DB, b.log)
	b.count("WITH u AS (UPDATE validation.runs SET verdict = 'failed', score = 0 RETURNING 1) SELECT count(*) FROM u")
	if _, err := b.log.Rebuild(t.Context(), validation.StreamRun); err != nil {
		t.Fatal(err)
	}
	eventstest.Verify(t, b.log)
}

func TestEverythingThatIsKeptAboutPeopleIsRegistered(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}})
	columns := map[string][]string{}
	rows, err := b.DB.Pool().Query(t.Context(), `SELECT 'validation.' || table_name, column_name::text FROM information_schema.columns WHERE table_schema = 'validation'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		columns[table] = append(columns[table], column)
	}
	fields := map[string][]string{}
	for name, m := range map[string]proto.Message{
		"snapshot.submitted": &validationv1.SnapshotSubmitted{}, "validation.queued": &validationv1.ValidationQueued{},
		"validation.started": &validationv1.ValidationStarted{}, "validation.completed": &validationv1.ValidationCompleted{},
	} {
		for i := range m.ProtoReflect().Descriptor().Fields().Len() {
			fields[name] = append(fields[name], string(m.ProtoReflect().Descriptor().Fields().Get(i).Name()))
		}
	}
	for _, wrong := range privacy.Merge(validation.Privacy).Check(columns, fields) {
		t.Error(wrong)
	}
}

func TestSnapshotsAreListedNewestFirstPageByPage(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}})
	task := b.task(ada, "test_main.py", doubleTest)
	for i := range 5 {
		b.Submit(t, ada, task.ID, "main.py", fmt.Sprint(i))
	}
	var got []int
	q := validation.Query{TaskID: task.ID, Size: 2}
	for {
		page, err := b.Service.Snapshots(t.Context(), ada, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Snapshots {
			got = append(got, s.Number)
			if s.Files != nil || s.RunID == "" || s.Digest == "" {
				t.Errorf("listed %+v", s)
			}
		}
		if q.Token = page.Next; q.Token == "" {
			break
		}
	}
	if fmt.Sprint(got) != "[5 4 3 2 1]" {
		t.Errorf("got %v", got)
	}
	page, err := b.Service.Snapshots(t.Context(), ada, q)
	if err != nil {
		t.Fatal(err)
	}
	other := b.task(ada)
	if _, err := b.Service.Snapshots(t.Context(), ada, validation.Query{TaskID: other.ID, Token: page.Next}); !errs.BadPageToken.Is(err) {
		t.Errorf("another list's token was taken: %v", err)
	}
}
