package reference

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	eventsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1"
)

// begun is when work on a task began, as far as its row says.
func (m made) begun() time.Time {
	return later(m.CreatedAt, or(m.StartedAt, or(m.CompletedAt, m.UpdatedAt)))
}

// allEvents takes the events over as history: what the other system said
// happened, in its own words.
func (im *Importer) allEvents(ctx context.Context, src source) error {
	for after := ""; ; {
		page, err := src.events(ctx, after)
		if err != nil || len(page) == 0 {
			return err
		}
		group, working := errgroup.WithContext(ctx)
		group.SetLimit(workers)
		for _, e := range page {
			group.Go(func() error {
				if err := im.event(working, e); err != nil {
					return fmt.Errorf("import event %s: %w", e.ID, err)
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		after = page[len(page)-1].ID
	}
}

func (im *Importer) event(ctx context.Context, e eventRow) error {
	im.report.read("events")
	if !validUser(e.UserID) {
		im.report.left("events", e.ID, "it names no user, so nobody could ever have it erased")
		return nil
	}
	if im.DryRun {
		im.report.taken("events")
		return nil
	}
	h, kept := e.convert()
	err := im.at(ctx, system, e.CreatedAt, func(_ context.Context, tx *postgres.Tx) error {
		return im.history(tx, e.UserID, "", h, kept)
	})
	if done, takenErr := im.already(ctx, "events", e.ID, err); done || takenErr != nil {
		return takenErr
	}
	if why, is := refused(err); is {
		im.report.left("events", e.ID, why)
		return nil
	}
	if err == nil {
		im.report.taken("events")
	}
	return err
}

// convert makes the history of an event, and what it keeps of it.
func (e eventRow) convert() (*eventsv1.HistoryImported, map[string]any) {
	h := &eventsv1.HistoryImported{Table: "events", SourceId: e.ID, EventType: e.Type}
	if e.GoalID != "" {
		h.GoalId = idOf("goals", e.GoalID)
	}
	if e.TaskID != "" {
		h.TaskId = idOf("tasks", e.TaskID)
	}
	kept := map[string]any{"entity_type": e.EntityType, "entity_id": e.EntityID}
	for name, raw := range map[string]json.RawMessage{"payload": e.Payload, "event_metadata": e.Metadata} {
		if !null(raw) {
			kept[name] = raw
		}
	}
	return h, kept
}
