// Package journey keeps how a learner fares with each task, from events, for
// the evaluator and the coach. It judges nothing.
package journey

import (
	"context"
	"time"

	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
	validationv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
)

// Subscription is the journeys' place in the log.
func Subscription() events.Subscription {
	return events.Subscription{
		Name: "agents.journeys",
		Types: []string{
			"goal.created", "goal.updated", "goal.started", "goal.completed", "goal.cancelled", "goal.reopened", "goal.deleted",
			"task.created", "task.updated", "task.completed", "task.skipped", "task.reopened", "task.deleted",
			"validation.completed", "hint.given",
		},
		Handle: handle,
	}
}

func handle(ctx context.Context, tx *postgres.Tx, e events.Event) error {
	who := store.Whose{UserID: e.Stream.SubjectID, CourseID: e.Stream.CourseID, At: e.OccurredAt}
	switch data := e.Data.(type) {
	case *goalsv1.GoalCreated:
		return putGoal(ctx, tx, who, data.GetGoalId(), data.GetDetails())
	case *goalsv1.GoalUpdated:
		return putGoal(ctx, tx, who, data.GetGoalId(), data.GetDetails())
	case *goalsv1.GoalCompleted, *goalsv1.GoalCancelled:
		return store.OpenDueGoal(ctx, tx, e.Stream.ID, false)
	case *goalsv1.GoalStarted, *goalsv1.GoalReopened:
		return store.OpenDueGoal(ctx, tx, e.Stream.ID, true)
	case *goalsv1.GoalDeleted:
		return store.DropJourneysOfGoal(ctx, tx, e.Stream.ID)
	case *tasksv1.TaskDeleted:
		return store.DropJourney(ctx, tx, e.Stream.ID)
	case *validationv1.ValidationCompleted:
		return tried(ctx, tx, who, data)
	case *agentsv1.HintGiven:
		return store.CountHint(ctx, tx, who, data.GetTaskId())
	}
	return task(ctx, tx, who, e)
}

func task(ctx context.Context, tx *postgres.Tx, who store.Whose, e events.Event) error {
	switch data := e.Data.(type) {
	case *tasksv1.TaskCreated:
		return putTask(ctx, tx, who, data.GetTaskId(), data.GetGoalId(), data.GetDetails())
	case *tasksv1.TaskUpdated:
		if data.GetDetails() == nil {
			return nil
		}
		return putTask(ctx, tx, who, data.GetTaskId(), data.GetGoalId(), data.GetDetails())
	case *tasksv1.TaskCompleted:
		return store.EndJourney(ctx, tx, who, data.GetTaskId(), "done", completedBy[data.GetCompletedBy()])
	case *tasksv1.TaskSkipped:
		return store.EndJourney(ctx, tx, who, data.GetTaskId(), "skipped", "")
	case *tasksv1.TaskReopened:
		return store.EndJourney(ctx, tx, who, e.Stream.ID, "open", "")
	}
	return nil
}

var completedBy = map[tasksv1.CompletedBy]string{
	tasksv1.CompletedBy_COMPLETED_BY_VERDICT: "verdict", tasksv1.CompletedBy_COMPLETED_BY_SELF: "self",
	tasksv1.CompletedBy_COMPLETED_BY_TEACHER: "teacher",
}

// tried counts a verdict about the learner's work: not what the platform or a
// teacher's re-judging brought about.
func tried(ctx context.Context, tx *postgres.Tx, who store.Whose, data *validationv1.ValidationCompleted) error {
	if data.GetStatus() != validationv1.RunStatus_RUN_STATUS_DONE || data.GetReason() == validationv1.RunReason_RUN_REASON_REJUDGED ||
		data.GetTaskProblem() || data.GetVerdict() == validationv1.Verdict_VERDICT_PLATFORM_ERROR {
		return nil
	}
	fine := data.GetVerdict() == validationv1.Verdict_VERDICT_PASSED || data.GetVerdict() == validationv1.Verdict_VERDICT_UNPROVEN
	return store.CountTry(ctx, tx, who, data.GetTaskId(), fine)
}

func putGoal(ctx context.Context, tx *postgres.Tx, who store.Whose, id string, d *goalsv1.GoalDetails) error {
	if d == nil {
		return nil
	}
	var due time.Time
	if d.GetDueAt() != nil {
		due = d.GetDueAt().AsTime()
	}
	return store.PutDueGoal(ctx, tx, who, id, d.GetTitle(), due)
}

func putTask(ctx context.Context, tx *postgres.Tx, who store.Whose, id, goalID string, d *tasksv1.TaskDetails) error {
	return store.PutJourney(ctx, tx, who, store.Journey{
		TaskID: id, GoalID: goalID, Title: d.GetTitle(), Concepts: d.GetConcepts(), EstimatedHours: d.GetEstimatedHours(),
	})
}
