package reference

import (
	"context"
	"slices"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
	eventsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1"
)

// takeTasks makes a goal's tasks, then leads them to where they stood, in the
// order in which that happened.
func (t taking) takeTasks(ctx context.Context) error {
	var fresh []*wholeTask
	for _, task := range t.tasks {
		task.CreatedAt = later(t.CreatedAt, task.CreatedAt) // never before its goal
		is, err := t.makeTask(ctx, task)
		if err != nil {
			return err
		}
		if is {
			fresh = append(fresh, task)
		}
	}
	slices.SortStableFunc(fresh, func(a, b *wholeTask) int { return a.begun().Compare(b.begun()) })
	for _, task := range fresh {
		if !t.DryRun {
			if err := t.leadTask(ctx, task); err != nil {
				return err
			}
		}
		t.made.taken("tasks")
		t.made.changed("tasks", task.ID, task.changes.whats)
	}
	return nil
}

// begun is when work on a task began, as far as its row says.
func (t *taskRow) begun() time.Time {
	return later(t.CreatedAt, or(t.StartedAt, or(t.CompletedAt, t.UpdatedAt)))
}

// makeTask makes the task and takes its snapshots; fresh when the task itself has
// still to be led.
func (t taking) makeTask(ctx context.Context, task *wholeTask) (fresh bool, err error) {
	n := task.convert()
	done, err := t.taken(ctx, "tasks", task.ID, t.UserID)
	switch {
	case err != nil:
	case done:
		t.made.here("tasks")
	case task.UserID != t.UserID:
		err = leftError("it belongs to another user than its goal")
	case t.DryRun:
		_, err = tasks.Create(t.UserID, n, nil)
	default:
		err = t.createTask(ctx, task, n)
	}
	if why, is := refused(err); is {
		t.leaveTask(task, why)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return !done, t.src.eachSnapshot(ctx, task.snapshots, func(s snapshotRow) error {
		return t.snapshot(ctx, task, s)
	})
}

// createTask makes the task, unless an import that was broken off did.
func (t taking) createTask(ctx context.Context, task *wholeTask, n tasks.New) error {
	switch there, err := t.Tasks.Get(ctx, system, n.ID); {
	case err == nil && there.GoalID != t.id:
		return leftError(anothers)
	case !tasks.ErrNotFound.Is(err):
		return err
	}
	return t.at(ctx, learner(t.UserID), task.CreatedAt, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := t.Tasks.CreateTx(ctx, tx, t.id, n)
		return err
	})
}

// leadTask leads a task to the status that it had, and marks it as taken.
func (t taking) leadTask(ctx context.Context, task *wholeTask) error {
	id, c := idOf("tasks", task.ID), &task.changes
	status, err := t.status(ctx, task, id)
	if why, is := refused(err); is {
		c.note("could not be led to " + task.Status + ": " + why)
	} else if err != nil {
		return err
	}
	if string(status) != task.Status && known(c, "status", task.Status, tasks.Statuses, status) != status {
		if why := verdictless[task.Status]; why != "" {
			c.note(why)
		}
		c.keep("status", task.Status)
	}
	return t.at(ctx, system, later(task.CreatedAt, task.UpdatedAt), func(ctx context.Context, tx *postgres.Tx) error {
		if task.Feedback != "" {
			if _, err := t.Tasks.FeedbackTx(ctx, tx, id, task.Feedback); err != nil {
				return err
			}
		}
		return t.history(tx, t.UserID, t.CourseID,
			&eventsv1.HistoryImported{Table: "tasks", SourceId: task.ID, GoalId: t.id, TaskId: id}, c.kept)
	})
}

// verdictless are statuses that follow from a verdict, which only tests that ran
// here can give.
var verdictless = map[string]string{
	"failed":    "was failed, is in_progress: nothing here judged it",
	"in_review": "was in_review, is in_progress: nothing here judges it",
}

// status does what leads to the task's status, as its learner.
func (t taking) status(ctx context.Context, task *wholeTask, id string) (tasks.Status, error) {
	now, err := t.Tasks.Get(ctx, system, id)
	if err != nil {
		return "", err
	}
	act := func(when time.Time, do func(context.Context, *postgres.Tx) (tasks.Task, error)) error {
		return t.at(ctx, learner(t.UserID), when, func(ctx context.Context, tx *postgres.Tx) error {
			next, err := do(ctx, tx)
			if err == nil {
				now = next
			}
			return err
		})
	}
	want := tasks.Status(task.Status)
	if now.Status == want || want == tasks.StatusTodo || !slices.Contains(tasks.Statuses, want) {
		return now.Status, nil
	}
	updated := later(task.CreatedAt, task.UpdatedAt)
	if want == tasks.StatusSkipped {
		err = act(updated, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
			return t.Tasks.SkipTx(ctx, tx, id, nil)
		})
		return now.Status, err
	}
	if now.Status == tasks.StatusTodo {
		err = act(task.begun(), func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
			return t.Tasks.StartTx(ctx, tx, id, nil)
		})
		if err != nil {
			return now.Status, err
		}
	}
	if want == tasks.StatusCompleted {
		err = act(later(task.begun(), or(task.CompletedAt, updated)), func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
			return t.Tasks.CompleteTx(ctx, tx, id, nil, task.Actual)
		})
	}
	return now.Status, err
}

// snapshot takes a snapshot: what was handed in, without a run.
func (t taking) snapshot(ctx context.Context, task *wholeTask, s snapshotRow) error {
	r := s.convert(idOf("tasks", task.ID))
	var err error
	switch {
	case s.UserID != t.UserID:
		err = leftError("it belongs to another user than its task")
	case s.TooLarge:
		err = leftError("its code has more than 8 MiB")
	case !t.DryRun:
		err = t.at(ctx, system, later(task.CreatedAt, s.CreatedAt), func(ctx context.Context, tx *postgres.Tx) error {
			if err := t.history(tx, t.UserID, t.CourseID,
				&eventsv1.HistoryImported{Table: "code_snapshots", SourceId: s.ID, GoalId: t.id, TaskId: r.TaskID}, s.changes.kept); err != nil {
				return err
			}
			_, err := t.Validation.RecordTx(ctx, tx, r)
			return err
		})
	}
	return t.outcome(ctx, t.made, "code_snapshots", s.ID, t.UserID, err, s.changes.whats)
}

func (t taking) leaveTask(task *wholeTask, why string) {
	t.made.left("tasks", task.ID, why)
	for _, id := range task.snapshots {
		t.made.left("code_snapshots", id, "its task was left")
	}
}
