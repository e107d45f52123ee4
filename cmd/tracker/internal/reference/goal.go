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

// goal takes a goal with its tasks and their snapshots: made first, then led to
// where they stood, the goal last.
func (im *Importer) goal(ctx context.Context, g wholeGoal) error {
	im.report.read("goals")
	n, c := g.convert()
	done, err := im.taken(ctx, "goals", g.ID)
	switch {
	case err != nil:
		return err
	case done:
		im.report.here("goals")
	case !validUser(g.UserID):
		im.leave(g, "its user_id has not 1 to 36 characters")
		return nil
	case im.DryRun:
		im.report.taken("goals")
	default:
		if err := im.make(ctx, g, n); err != nil {
			why, is := refused(err)
			if !is {
				return err
			}
			im.leave(g, why)
			return nil
		}
	}
	if err := im.tasksOf(ctx, g, n.ID); err != nil || done {
		return err
	}
	if !im.DryRun {
		if err := im.lead(ctx, g, n.ID, c); err != nil {
			return err
		}
		im.report.taken("goals")
	}
	im.report.changed("goals", g.ID, c.whats)
	return nil
}

func validUser(id string) bool { return id != "" && utf8.RuneCountInString(id) <= 36 }

// leave reports a goal as left, and all that hangs on it.
func (im *Importer) leave(g wholeGoal, why string) {
	im.report.left("goals", g.ID, why)
	for _, t := range g.tasks {
		im.report.read("tasks")
		im.leaveTask(t, "its goal was left")
	}
}

// make makes the goal, unless an import that was broken off did.
func (im *Importer) make(ctx context.Context, g wholeGoal, n goals.New) error {
	if _, err := im.Goals.Get(ctx, system, n.ID); !goals.ErrNotFound.Is(err) {
		return err
	}
	return im.at(ctx, learner(g.UserID), g.CreatedAt, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := im.Goals.CreateTx(ctx, tx, n)
		return err
	})
}

func learner(id string) auth.Actor { return auth.Actor{UserID: id, Roles: []auth.Role{auth.Student}} }

// lead leads a goal to the status that it had, and marks it as taken.
func (im *Importer) lead(ctx context.Context, g wholeGoal, id string, c *changes) error {
	now, err := im.Goals.Get(ctx, system, id)
	if err != nil {
		return err
	}
	updated := later(g.CreatedAt, g.UpdatedAt)
	for _, step := range im.steps(g, id) {
		if !step.due(now) {
			continue
		}
		err := im.at(ctx, learner(g.UserID), step.at, func(ctx context.Context, tx *postgres.Tx) (err error) {
			now, err = step.do(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	if string(now.Status) != g.Status {
		c.note("was " + g.Status + ", is " + string(now.Status) + " by its tasks")
		c.keep("status", g.Status)
	}
	return im.at(ctx, system, updated, func(_ context.Context, tx *postgres.Tx) error {
		return im.history(tx, g.UserID, g.CourseID, &eventsv1.HistoryImported{Table: "goals", SourceId: g.ID, GoalId: id}, c.kept)
	})
}

// step is something that a goal's learner did, when it has still to be done.
type step struct {
	at  time.Time
	due func(goals.Goal) bool
	do  func(context.Context, *postgres.Tx) (goals.Goal, error)
}

// steps lead a goal, which its tasks may have moved already, to where it stood.
func (im *Importer) steps(g wholeGoal, id string) []step {
	want := goals.Status(g.Status)
	updated := later(g.CreatedAt, g.UpdatedAt)
	act := func(do func(context.Context, *postgres.Tx, string, *int64) (goals.Goal, error)) func(context.Context, *postgres.Tx) (goals.Goal, error) {
		return func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) { return do(ctx, tx, id, nil) }
	}
	not := func(now goals.Goal) bool { return now.Status != want }
	all := []step{
		{ // Its tasks are all done, but it was not closed.
			at: updated, do: act(im.Goals.ReopenTx),
			due: func(now goals.Goal) bool {
				return now.Status == goals.StatusCompleted && want != goals.StatusCompleted
			},
		},
		{
			at: later(g.CreatedAt, or(g.StartedAt, updated)), do: act(im.Goals.StartTx),
			due: func(now goals.Goal) bool {
				begun := g.StartedAt != nil && want != goals.StatusPending
				return now.Status == goals.StatusPending && (begun || want == goals.StatusInProgress || want == goals.StatusCompleted)
			},
		},
		{
			at: updated, do: func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
				return im.Goals.SetProgressTx(ctx, tx, id, min(g.Progress, 100))
			},
			due: func(now goals.Goal) bool {
				return len(g.tasks) == 0 && g.Progress > 0 && now.Status.Open() && now.Progress.Percent == 0
			},
		},
	}
	switch want {
	case goals.StatusCompleted:
		all = append(all, step{later(g.CreatedAt, or(g.CompletedAt, updated)), not, act(im.Goals.CompleteTx)})
	case goals.StatusBlocked:
		all = append(all, step{updated, not, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
			return im.Goals.BlockTx(ctx, tx, id, nil, "")
		}})
	case goals.StatusCancelled:
		all = append(all, step{updated, not, act(im.Goals.CancelTx)})
	case goals.StatusPending, goals.StatusInProgress:
	}
	return all
}
