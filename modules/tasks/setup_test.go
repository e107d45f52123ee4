package tasks_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
)

var (
	ada    = goalstest.Learner("ada", "c1")
	bob    = goalstest.Learner("bob", "c1")
	tess   = goalstest.Teacher("tess", "c1")
	tom    = goalstest.Teacher("tom", "c2")
	root   = goalstest.Admin("root")
	system = auth.System("test")
)

type bundle struct {
	*testing.T
	db    *postgres.DB
	log   *events.Log
	goals goals.Service
	tasks tasks.Service
}

func setup(t *testing.T) bundle {
	t.Helper()
	db := postgrestest.DB(t)
	log := events.New(db, events.Config{}, slog.New(slog.DiscardHandler))
	g := goalstest.New(db, log)
	return bundle{t, db, log, g, taskstest.New(db, log, g)}
}

func (b bundle) goal(actor auth.Actor, course string) goals.Goal {
	b.Helper()
	return goalstest.Create(b.T, b.db, b.goals, actor, course, "Learn Go")
}

func (b bundle) create(actor auth.Actor, goalID string, news ...tasks.New) []tasks.Task {
	b.Helper()
	return taskstest.Create(b.T, b.db, b.tasks, actor, goalID, news...)
}

// do runs fn in a unit of work of the actor.
func (b bundle) do(actor auth.Actor, fn func(context.Context, *postgres.Tx) (tasks.Task, error)) (tasks.Task, error) {
	return goalstest.Do(context.Background(), b.db, actor, fn)
}

// must is do, where nothing may go wrong.
func (b bundle) must(actor auth.Actor, fn func(context.Context, *postgres.Tx) (tasks.Task, error)) tasks.Task {
	b.Helper()
	t, err := b.do(actor, fn)
	if err != nil {
		b.Fatal(err)
	}
	return t
}

func (b bundle) start(actor auth.Actor, id string) (tasks.Task, error) {
	return b.do(actor, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return b.tasks.StartTx(ctx, tx, id, nil)
	})
}

func (b bundle) skip(actor auth.Actor, id string) (tasks.Task, error) {
	return b.do(actor, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return b.tasks.SkipTx(ctx, tx, id, nil)
	})
}

func (b bundle) complete(actor auth.Actor, id string) (tasks.Task, error) {
	return b.do(actor, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return b.tasks.CompleteTx(ctx, tx, id, nil, nil)
	})
}

func (b bundle) reopen(actor auth.Actor, id string) (tasks.Task, error) {
	return b.do(actor, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return b.tasks.ReopenTx(ctx, tx, id, nil)
	})
}

func (b bundle) update(actor auth.Actor, id string, p tasks.Patch) (tasks.Task, error) {
	return b.do(actor, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return b.tasks.UpdateTx(ctx, tx, id, nil, p)
	})
}

func (b bundle) remove(actor auth.Actor, id string) error {
	_, err := b.do(actor, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return tasks.Task{}, b.tasks.DeleteTx(ctx, tx, id, nil)
	})
	return err
}

// submit submits the next snapshot and gives its result with a verdict.
func (b bundle) submit(actor auth.Actor, id, verdict string) (tasks.Result, error) {
	r := tasks.Result{RunID: uuid.NewString(), SnapshotID: uuid.NewString(), Verdict: verdict, Score: 0.25, TestsPassed: 1, TestsTotal: 4}
	_, err := b.do(actor, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		t, err := b.tasks.LockTx(ctx, tx, id)
		if err != nil {
			return t, err
		}
		r.SnapshotNumber = t.SnapshotNumber + 1
		return b.tasks.SubmitTx(ctx, tx, id, r.SnapshotID, r.SnapshotNumber)
	})
	return r, err
}

func (b bundle) verdict(id string, r tasks.Result) (tasks.Task, error) {
	return b.do(system, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return b.tasks.VerdictTx(ctx, tx, id, r)
	})
}

func (b bundle) get(actor auth.Actor, id string) tasks.Task {
	b.Helper()
	t, err := b.tasks.Get(b.Context(), actor, id)
	if err != nil {
		b.Fatal(err)
	}
	return t
}

// goalIs checks a goal's status and progress.
func (b bundle) goalIs(id string, status goals.Status, percent float64) {
	b.Helper()
	g, err := b.goals.Get(b.Context(), system, id)
	if err != nil {
		b.Fatal(err)
	}
	if g.Status != status || g.Progress.Percent != percent {
		b.Errorf("the goal is %s at %v %%, want %s at %v %%", g.Status, g.Progress.Percent, status, percent)
	}
}

// verify proves that rows and log agree.
func (b bundle) verify() {
	b.Helper()
	report, err := b.log.Verify(b.Context(), events.VerifyOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for _, d := range report.Differences {
		b.Errorf("log and rows disagree: %s", d)
	}
}

// types are the event types of a stream.
func (b bundle) types(stream, id string) (types []string) {
	b.Helper()
	history, err := b.log.Show(b.Context(), stream+":"+id)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range history {
		types = append(types, e.Type)
	}
	return types
}

func (b bundle) typesAre(stream, id string, want ...string) {
	b.Helper()
	if got := b.types(stream, id); !slices.Equal(got, want) {
		b.Errorf("the log of %s says %v, want %v", stream, got, want)
	}
}
