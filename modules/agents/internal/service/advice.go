package service

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/reviewer"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

// Feedback implements agents.Service.
func (s *Service) Feedback(ctx context.Context, actor auth.Actor, validationRunID string) (agents.Feedback, error) {
	return s.feedback(validationRunID, func() (*agents.Feedback, error) {
		return store.FeedbackOf(ctx, s.db.As(actor), actor, validationRunID)
	})
}

func (s *Service) feedback(id string, read func() (*agents.Feedback, error)) (agents.Feedback, error) {
	if uuid.Validate(id) != nil {
		return agents.Feedback{}, agents.ErrFeedbackNotFound.New(id)
	}
	f, err := read()
	if err != nil {
		return agents.Feedback{}, err
	}
	if f == nil {
		return agents.Feedback{}, agents.ErrFeedbackNotFound.New(id)
	}
	return *f, nil
}

// Check implements agents.Service.
func (s *Service) Check(ctx context.Context, actor auth.Actor, feedbackID string) (agents.Checked, error) {
	f, err := s.feedback(feedbackID, func() (*agents.Feedback, error) {
		return store.GetFeedback(ctx, s.db.As(actor), actor, feedbackID)
	})
	if err != nil {
		return agents.Checked{}, err
	}
	checked := agents.Checked{FeedbackID: f.ID, Outcome: agents.DisputeUpheld}
	c, err := reviewer.Load(ctx, s.material, s.verdicts, s.tasks, f.ValidationRunID)
	if err != nil {
		return agents.Checked{}, fmt.Errorf("check feedback %s: %w", f.ID, err)
	}
	_, dropped, err := c.Hold(ctx, s.material, f.Comments)
	if err != nil {
		return agents.Checked{}, fmt.Errorf("check feedback %s: %w", f.ID, err)
	}
	if len(dropped) > 0 {
		checked.Outcome = agents.DisputeWithdrawn
	}
	return checked, nil
}

// DisputeTx implements agents.Service.
func (s *Service) DisputeTx(ctx context.Context, tx *postgres.Tx, checked agents.Checked, reason string) (agents.Feedback, error) {
	if err := checkWords("reason", reason, 1, 4000); err != nil {
		return agents.Feedback{}, err
	}
	f, err := s.feedback(checked.FeedbackID, func() (*agents.Feedback, error) {
		return store.LockFeedback(ctx, tx, tx.Actor(), checked.FeedbackID)
	})
	if err != nil {
		return agents.Feedback{}, err
	}
	stream := events.Stream{Type: agents.StreamFeedback, ID: f.ID, SubjectID: f.UserID, CourseID: f.CourseID}
	s.log.Append(tx, stream, f.Version, &agentsv1.FeedbackDisputed{
		FeedbackId: f.ID, TaskId: f.TaskID, Reason: reason, Outcome: string(checked.Outcome),
	})
	f.Dispute = checked.Outcome
	f.Version++
	return f, store.SetDispute(ctx, tx, f)
}

// Withdraw takes feedback that was withdrawn off its task, if that still shows
// it. For subscriptions.
func (s *Service) Withdraw(ctx context.Context, tx *postgres.Tx, feedbackID string) error {
	f, err := store.GetFeedback(ctx, tx, system, feedbackID)
	if err != nil || f == nil || f.Dispute != agents.DisputeWithdrawn {
		return err
	}
	task, err := s.tasks.LockTx(ctx, tx, f.TaskID)
	switch {
	case err != nil && errs.CodeOf(err) != errs.NotFound:
		return err
	case err != nil || task.Feedback != f.Text: // gone, or it shows another
		return nil //nolint:nilerr // see the case above
	}
	_, err = s.tasks.FeedbackTx(ctx, tx, f.TaskID, "")
	return err
}
