package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/auth"
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
