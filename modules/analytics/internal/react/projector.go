// Package react folds the log into the projections.
package react

import (
	"context"
	"strings"

	"github.com/goals-tracker/tracker/modules/analytics/internal/store"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
	validationv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
)

// Subscription is the projections' place in the log.
func Subscription() events.Subscription {
	return events.Subscription{
		Name: "analytics.projections",
		Types: []string{
			"goal.created", "goal.updated", "goal.started", "goal.completed", "goal.blocked", "goal.cancelled", "goal.reopened", "goal.deleted",
			"task.created", "task.updated", "task.started", "task.submitted", "task.completed", "task.failed", "task.skipped", "task.reopened", "task.deleted",
			"snapshot.submitted", "validation.completed", "hint.given",
		},
		Handle: handle,
	}
}

func handle(ctx context.Context, tx *postgres.Tx, e events.Event) error {
	if err := project(ctx, tx, e); err != nil {
		return err
	}
	step := store.Step{UserID: e.Stream.SubjectID, CourseID: e.Stream.CourseID, At: e.OccurredAt}
	switch data := e.Data.(type) {
	case *validationv1.ValidationCompleted:
		if data.GetVerdict() == validationv1.Verdict_VERDICT_PASSED && data.GetReason() != validationv1.RunReason_RUN_REASON_REJUDGED {
			step.Passed = 1
		}
	case *validationv1.SnapshotSubmitted:
		step.Submissions = 1
	case *tasksv1.TaskCompleted:
		step.Completed = 1
	case *agentsv1.HintGiven:
		step.Hints = 1
	}
	return store.CountStep(ctx, tx, step)
}

func project(ctx context.Context, tx *postgres.Tx, e events.Event) error {
	user, course := e.Stream.SubjectID, e.Stream.CourseID
	switch data := e.Data.(type) {
	case *goalsv1.GoalCreated:
		return store.PutGoal(ctx, tx, store.Goal{ID: data.GetGoalId(), UserID: user, CourseID: course, Status: "pending"})
	case *goalsv1.GoalUpdated:
		return store.MoveGoal(ctx, tx, data.GetGoalId(), course)
	case *goalsv1.GoalDeleted:
		return store.DropGoal(ctx, tx, data.GetGoalId())
	case *goalsv1.GoalStarted, *goalsv1.GoalCompleted, *goalsv1.GoalBlocked, *goalsv1.GoalCancelled, *goalsv1.GoalReopened:
		return store.SetGoalStatus(ctx, tx, e.Stream.ID, goalStatus[e.Type])
	case *tasksv1.TaskCreated:
		return store.PutTask(ctx, tx, task(data.GetTaskId(), data.GetGoalId(), user, course, data.GetDetails()))
	case *tasksv1.TaskUpdated:
		return store.PutTask(ctx, tx, task(data.GetTaskId(), data.GetGoalId(), user, course, data.GetDetails()))
	case *tasksv1.TaskDeleted:
		return store.DropTask(ctx, tx, data.GetTaskId())
	case *tasksv1.TaskCompleted:
		return store.SetTaskStatus(ctx, tx, data.GetTaskId(), "completed", data.ActualHours)
	case *tasksv1.TaskStarted, *tasksv1.TaskSubmitted, *tasksv1.TaskFailed, *tasksv1.TaskSkipped, *tasksv1.TaskReopened:
		return store.SetTaskStatus(ctx, tx, e.Stream.ID, taskStatus[e.Type], nil)
	case *validationv1.ValidationCompleted:
		if data.GetStatus() != validationv1.RunStatus_RUN_STATUS_DONE {
			return nil // superseded: nothing was judged
		}
		if data.GetReason() == validationv1.RunReason_RUN_REASON_REJUDGED {
			return nil // not an attempt of the learner's
		}
		verdict := strings.ToLower(strings.TrimPrefix(data.GetVerdict().String(), "VERDICT_"))
		return store.CountVerdict(ctx, tx, user, course, verdict)
	}
	return nil
}

var goalStatus = map[string]string{
	"goal.started": "in_progress", "goal.completed": "completed", "goal.blocked": "blocked",
	"goal.cancelled": "cancelled", "goal.reopened": "in_progress",
}

var taskStatus = map[string]string{
	"task.started": "in_progress", "task.submitted": "in_review", "task.failed": "failed",
	"task.skipped": "skipped", "task.reopened": "in_progress",
}

func task(id, goal, user, course string, d *tasksv1.TaskDetails) store.Task {
	return store.Task{ID: id, GoalID: goal, UserID: user, CourseID: course, Estimated: d.GetEstimatedHours(), Actual: d.GetActualHours()}
}
