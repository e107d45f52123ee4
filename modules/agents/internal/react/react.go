// Package react is what agents do on others' events.
package react

import (
	"context"
	"fmt"

	"github.com/goals-tracker/tracker/modules/agents/internal/service"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	validationv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
)

// Register registers the reactions and the subscription.
func Register(log *events.Log, s *service.Service) {
	log.React("goal.deleted", func(ctx context.Context, tx *postgres.Tx, e events.Event) error {
		return s.Forget(ctx, tx, e.Stream.ID, "")
	})
	log.React("task.deleted", func(ctx context.Context, tx *postgres.Tx, e events.Event) error {
		return s.Forget(ctx, tx, "", e.Stream.ID)
	})
	log.Subscribe(events.Subscription{
		Name: "agents.reviewer", Types: []string{"validation.completed", "feedback.disputed"},
		Handle: func(ctx context.Context, tx *postgres.Tx, e events.Event) error {
			switch data := e.Data.(type) {
			case *validationv1.ValidationCompleted:
				return s.Review(ctx, tx, e.Stream, data)
			case *agentsv1.FeedbackDisputed:
				if data.GetFeedbackId() == "" {
					return nil // of another kind, which is marked as it is read
				}
				return s.Show(ctx, tx, data.GetFeedbackId())
			}
			return fmt.Errorf("%s has the payload %T", e.Type, e.Data)
		},
	})
}
