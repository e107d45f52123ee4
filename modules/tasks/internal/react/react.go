// Package react is what tasks do on events, inside the transaction that
// appends them.
package react

import (
	"context"
	"fmt"
	"slices"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/tasks/internal/service"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

// Register registers the reactions.
func Register(log *events.Log, s *service.Service) {
	log.React("goal.deleted", func(ctx context.Context, tx *postgres.Tx, e events.Event) error {
		return s.DeleteOfGoal(ctx, tx, e.Stream.ID)
	})
	log.React("goal.updated", func(ctx context.Context, tx *postgres.Tx, e events.Event) error {
		p, ok := e.Data.(*goalsv1.GoalUpdated)
		if !ok {
			return fmt.Errorf("%s has the payload %T", e.Type, e.Data)
		}
		if !slices.Contains(p.GetChanged(), "course_id") {
			return nil
		}
		return s.MoveOfGoal(ctx, tx, e.Stream.ID, p.GetDetails().GetCourseId())
	})
	// Whatever can change a goal's counts; that it happened is remembered by the
	// service, so that a goal with many changes follows them once.
	for _, eventType := range []string{
		"task.created", "task.started", "task.submitted", "task.completed", "task.skipped", "task.reopened", "task.deleted",
	} {
		log.React(eventType, s.TellGoal)
	}
}
