package service

import (
	"context"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	validationv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
)

// Review starts a review of a verdict, once. What was not judged, or not by the
// learner's doing, is not reviewed. For subscriptions.
func (s *Service) Review(ctx context.Context, tx *postgres.Tx, stream events.Stream, v *validationv1.ValidationCompleted) error {
	if v.GetEnded() || v.GetStatus() != validationv1.RunStatus_RUN_STATUS_DONE ||
		v.GetVerdict() == validationv1.Verdict_VERDICT_PLATFORM_ERROR || v.GetVerdict() == validationv1.Verdict_VERDICT_UNSPECIFIED {
		return nil
	}
	if v.GetReason() == validationv1.RunReason_RUN_REASON_REJUDGED && v.GetVerdict() == v.GetPreviousVerdict() {
		return nil // the learner was told of it when it was judged first
	}
	// The task may be gone by now: then nothing would ever delete the run.
	if _, err := s.tasks.LockTx(ctx, tx, v.GetTaskId()); err != nil {
		if errs.CodeOf(err) == errs.NotFound {
			return nil
		}
		return err
	}
	id, err := newID()
	if err != nil {
		return err
	}
	_, err = s.engine.Start(ctx, tx, agents.Run{
		ID: id, Graph: agents.GraphReviewer, UserID: stream.SubjectID, CourseID: stream.CourseID,
		GoalID: v.GetGoalId(), TaskID: v.GetTaskId(), ValidationRunID: v.GetRunId(),
	}, nil)
	return err
}

// Forget deletes what hangs on a goal or a task that was deleted. For reactions.
func (s *Service) Forget(ctx context.Context, tx *postgres.Tx, goalID, taskID string) error {
	if err := store.DeleteDisputes(ctx, tx, goalID, taskID); err != nil {
		return err
	}
	if goalID != "" {
		return store.DeleteOfGoal(ctx, tx, goalID)
	}
	if err := store.DeleteOfTask(ctx, tx, taskID); err != nil {
		return err
	}
	return store.DeleteAdvice(ctx, tx, taskID)
}
