package reference

import (
	"context"
	"slices"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
	eventsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1"
)

// made is a task that is here, and where it has to be led.
type made struct {
	wholeTask
	id      string
	changes *changes
}

// tasksOf makes a goal's tasks, then leads them to where they stood, in the order
// in which that happened.
func (im *Importer) tasksOf(ctx context.Context, g wholeGoal, goalID string) error {
	var fresh []made
	for _, t := range g.tasks {
		m, err := im.makeTask(ctx, g, t, goalID)
		if err != nil {
			return err
		}
		if m != nil {
			fresh = append(fresh, *m)
		}
	}
	slices.SortStableFunc(fresh, func(a, b made) int { return a.begun().Compare(b.begun()) })
	for _, m := range fresh {
		if !im.DryRun {
			if err := im.leadTask(ctx, g, m, goalID); err != nil {
				return err
			}
		}
		im.report.taken("tasks")
		im.report.changed("tasks", m.ID, m.changes.whats)
	}
	return nil
}

// makeTask makes the task and takes its snapshots; nil when there is nothing
// left to do with the task itself.
func (im *Importer) makeTask(ctx context.Context, g wholeGoal, t wholeTask, goalID string) (*made, error) {
	im.report.read("tasks")
	n, c := t.convert()
	done, err := im.taken(ctx, "tasks", t.ID)
	if err != nil {
		return nil, err
	}
	switch {
	case done:
		im.report.here("tasks")
	case t.UserID != g.UserID:
		im.leaveTask(t, "it belongs to another user than its goal")
		return nil, nil
	case !im.DryRun:
		err := im.createTask(ctx, g, t, goalID, n)
		if why, is := refused(err); is {
			im.leaveTask(t, why)
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	for _, s := range t.snapshots {
		if err := im.snapshot(ctx, g, t, s, goalID, n.ID); err != nil {
			return nil, err
		}
	}
	if done {
		return nil, nil
	}
	return &made{t, n.ID, c}, nil
}

func (im *Importer) createTask(ctx context.Context, g wholeGoal, t wholeTask, goalID string, n tasks.New) error {
	if _, err := im.Tasks.Get(ctx, system, n.ID); !tasks.ErrNotFound.Is(err) {
		return err
	}
	return im.at(ctx, learner(g.UserID), later(g.CreatedAt, t.CreatedAt), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := im.Tasks.CreateTx(ctx, tx, goalID, n)
		return err
	})
}

// leadTask leads a task to the status that it had, and marks it as taken.
func (im *Importer) leadTask(ctx context.Context, g wholeGoal, m made, goalID string) error {
	status, err := im.status(ctx, m)
	if why, is := refused(err); is {
		m.changes.note("could not be led to " + m.Status + ": " + why)
	} else if err != nil {
		return err
	}
	if string(status) != m.Status {
		if why := verdictless[m.Status]; why != "" {
			m.changes.note(why)
		}
		m.changes.keep("status", m.Status)
	}
	at := later(m.CreatedAt, m.UpdatedAt)
	return im.at(ctx, system, at, func(ctx context.Context, tx *postgres.Tx) error {
		if m.Feedback != "" {
			_, err := im.Tasks.FeedbackTx(ctx, tx, m.id, m.changes.cut("ai_feedback", m.Feedback, 100_000))
			if err != nil {
				return err
			}
		}
		return im.history(tx, g.UserID, g.CourseID,
			&eventsv1.HistoryImported{Table: "tasks", SourceId: m.ID, GoalId: goalID, TaskId: m.id}, m.changes.kept)
	})
}

// verdictless are statuses that follow from a verdict, which only tests that ran
// here can give.
var verdictless = map[string]string{
	"failed":    "was failed, is in_progress: nothing here judged it",
	"in_review": "was in_review, is in_progress: nothing here judges it",
}

// status does what leads to the task's status, as its learner.
func (im *Importer) status(ctx context.Context, m made) (tasks.Status, error) {
	now, err := im.Tasks.Get(ctx, system, m.id)
	if err != nil {
		return "", err
	}
	want := tasks.Status(m.Status)
	if now.Status == want || want == tasks.StatusTodo {
		return now.Status, nil
	}
	updated := later(m.CreatedAt, m.UpdatedAt)
	if want != tasks.StatusSkipped && now.Status == tasks.StatusTodo {
		err := im.at(ctx, learner(m.UserID), m.begun(), func(ctx context.Context, tx *postgres.Tx) (err error) {
			now, err = im.Tasks.StartTx(ctx, tx, m.id, nil)
			return err
		})
		if err != nil {
			return now.Status, err
		}
	}
	if want == tasks.StatusCompleted {
		end := later(m.begun(), or(m.CompletedAt, updated))
		err = im.at(ctx, learner(m.UserID), end, func(ctx context.Context, tx *postgres.Tx) (err error) {
			now, err = im.Tasks.CompleteTx(ctx, tx, m.id, nil, m.Actual)
			return err
		})
	}
	if want == tasks.StatusSkipped {
		err = im.at(ctx, learner(m.UserID), updated, func(ctx context.Context, tx *postgres.Tx) (err error) {
			now, err = im.Tasks.SkipTx(ctx, tx, m.id, nil)
			return err
		})
	}
	return now.Status, err
}

// snapshot takes a snapshot: what was handed in, without a run.
func (im *Importer) snapshot(ctx context.Context, g wholeGoal, t wholeTask, s snapshotRow, goalID, taskID string) error {
	im.report.read("code_snapshots")
	r, c := s.convert()
	r.TaskID = taskID
	if s.UserID != t.UserID {
		im.report.left("code_snapshots", s.ID, "it belongs to another user than its task")
		return nil
	}
	if !im.DryRun {
		at := later(later(g.CreatedAt, t.CreatedAt), s.CreatedAt)
		err := im.at(ctx, system, at, func(ctx context.Context, tx *postgres.Tx) error {
			if err := im.history(tx, g.UserID, g.CourseID,
				&eventsv1.HistoryImported{Table: "code_snapshots", SourceId: s.ID, GoalId: goalID, TaskId: taskID}, c.kept); err != nil {
				return err
			}
			_, err := im.Validation.RecordTx(ctx, tx, r)
			return err
		})
		if done, takenErr := im.already(ctx, "code_snapshots", s.ID, err); done || takenErr != nil {
			return takenErr
		}
		if why, is := refused(err); is {
			im.report.left("code_snapshots", s.ID, why)
			return nil
		}
		if err != nil {
			return err
		}
	}
	im.report.taken("code_snapshots")
	im.report.changed("code_snapshots", s.ID, c.whats)
	return nil
}

// already reports, and counts, a row that could not be taken because an earlier
// import took it.
func (im *Importer) already(ctx context.Context, table, id string, err error) (bool, error) {
	if err == nil {
		return false, nil
	}
	done, takenErr := im.taken(ctx, table, id)
	if done {
		im.report.here(table)
	}
	return done, takenErr
}

func (im *Importer) leaveTask(t wholeTask, why string) {
	im.report.left("tasks", t.ID, why)
	for _, s := range t.snapshots {
		im.report.read("code_snapshots")
		im.report.left("code_snapshots", s.ID, "its task was left")
	}
}
