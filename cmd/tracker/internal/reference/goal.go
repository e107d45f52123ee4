package reference

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
	eventsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1"
)

// taking is one goal on its way, with what hangs on it.
type taking struct {
	*Importer
	*wholeGoal
	src source
	// id is the goal's here.
	id string
	// made are figures of this goal alone.
	made *Report
}

// takeGoal takes a goal with its tasks and their snapshots. When its user is
// erased meanwhile, all of it is left.
func (im *Importer) takeGoal(ctx context.Context, src source, g *wholeGoal) error {
	t := taking{Importer: im, wholeGoal: g, src: src, id: idOf("goals", g.ID), made: newReport()}
	err := t.run(ctx)
	if auth.ErrRevoked.Is(err) {
		t.made, err = newReport(), nil
		t.leave(wasErased)
	}
	im.report.merge(t.made)
	return err
}

// run makes the goal, its tasks and their snapshots first, then leads them to
// where they stood, the goal last.
func (t taking) run(ctx context.Context) error {
	n := t.convert()
	done, err := t.taken(ctx, "goals", t.ID, t.UserID)
	switch {
	case err != nil || done:
	case !validUser(t.UserID):
		err = leftError("its user_id has not 1 to 36 characters")
	case t.Erased != nil && t.Erased(t.UserID):
		return auth.ErrRevoked.New()
	case t.DryRun:
		_, err = goals.Create(n)
	default:
		err = t.make(ctx, n)
	}
	if why, is := refused(err); is {
		t.leave(why)
		return nil
	}
	if err != nil {
		return err
	}
	if err := t.takeTasks(ctx); err != nil {
		return err
	}
	if done {
		t.made.here("goals")
		return nil
	}
	if !t.DryRun {
		if err := t.lead(ctx); err != nil {
			return err
		}
	}
	t.made.taken("goals")
	t.made.changed("goals", t.ID, t.changes.whats)
	return nil
}

func validUser(id string) bool { return id != "" && utf8.RuneCountInString(id) <= 36 }

// leave reports the goal as left, and all that hangs on it.
func (t taking) leave(why string) {
	t.made.left("goals", t.ID, why)
	for _, task := range t.tasks {
		t.leaveTask(task, "its goal was left")
	}
}

// make makes the goal, unless an import that was broken off did.
func (t taking) make(ctx context.Context, n goals.New) error {
	switch there, err := t.Goals.Get(ctx, system, n.ID); {
	case err == nil && there.UserID != t.UserID:
		return leftError(anothers)
	case !goals.ErrNotFound.Is(err):
		return err
	}
	return t.at(ctx, learner(t.UserID), t.CreatedAt, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := t.Goals.CreateTx(ctx, tx, n)
		return err
	})
}

func learner(id string) auth.Actor { return auth.Actor{UserID: id, Roles: []auth.Role{auth.Student}} }

// lead leads a goal to the status that it had, and marks it as taken.
func (t taking) lead(ctx context.Context) error {
	now, err := t.Goals.Get(ctx, system, t.id)
	if err != nil {
		return err
	}
	for _, step := range t.steps() {
		if !step.due(now) {
			continue
		}
		// Its tasks may have moved it later than it says itself.
		err := t.at(ctx, learner(t.UserID), later(now.UpdatedAt, step.at), func(ctx context.Context, tx *postgres.Tx) error {
			next, err := step.do(ctx, tx)
			if err == nil {
				now = next
			}
			return err
		})
		if why, is := refused(err); is {
			t.changes.note("could not be led to " + t.Status + ": " + why)
		} else if err != nil {
			return err
		}
	}
	if string(now.Status) != t.Status {
		if known(&t.changes, "status", t.Status, goals.Statuses, now.Status) != now.Status {
			t.changes.note("was " + t.Status + ", is " + string(now.Status) + " by its tasks")
			t.changes.keep("status", t.Status)
		}
	}
	return t.at(ctx, system, later(t.CreatedAt, t.UpdatedAt), func(_ context.Context, tx *postgres.Tx) error {
		return t.history(tx, t.UserID, t.CourseID, &eventsv1.HistoryImported{Table: "goals", SourceId: t.ID, GoalId: t.id}, t.changes.kept)
	})
}

// step is something that a goal's learner did, when it has still to be done.
type step struct {
	at  time.Time
	due func(goals.Goal) bool
	do  func(context.Context, *postgres.Tx) (goals.Goal, error)
}

// steps lead a goal, which its tasks may have moved already, to where it stood.
func (t taking) steps() []step {
	want := goals.Status(t.Status)
	updated := later(t.CreatedAt, t.UpdatedAt)
	act := func(do func(context.Context, *postgres.Tx, string, *int64) (goals.Goal, error)) func(context.Context, *postgres.Tx) (goals.Goal, error) {
		return func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) { return do(ctx, tx, t.id, nil) }
	}
	not := func(now goals.Goal) bool { return now.Status != want }
	all := []step{
		{ // Its tasks are all done, but it was not closed.
			at: updated, do: act(t.Goals.ReopenTx),
			due: func(now goals.Goal) bool {
				return now.Status == goals.StatusCompleted && want != goals.StatusCompleted
			},
		},
		{
			at: later(t.CreatedAt, or(t.StartedAt, updated)), do: act(t.Goals.StartTx),
			due: func(now goals.Goal) bool {
				begun := t.StartedAt != nil && want != goals.StatusPending
				return now.Status == goals.StatusPending && (begun || want == goals.StatusInProgress || want == goals.StatusCompleted)
			},
		},
		{
			at: updated, do: func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
				return t.Goals.SetProgressTx(ctx, tx, t.id, min(t.Progress, 100))
			},
			due: func(now goals.Goal) bool {
				return len(t.tasks) == 0 && t.Progress > 0 && now.Status.Open() && now.Progress.Percent == 0
			},
		},
	}
	switch want {
	case goals.StatusCompleted:
		all = append(all, step{later(t.CreatedAt, or(t.CompletedAt, updated)), not, act(t.Goals.CompleteTx)})
	case goals.StatusBlocked:
		all = append(all, step{updated, not, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
			return t.Goals.BlockTx(ctx, tx, t.id, nil, "")
		}})
	case goals.StatusCancelled:
		all = append(all, step{updated, not, act(t.Goals.CancelTx)})
	case goals.StatusPending, goals.StatusInProgress:
	}
	return all
}
