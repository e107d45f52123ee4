package reference

import (
	"context"
	"encoding/json"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	eventsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1"
)

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

func (im *Importer) event(ctx context.Context, e eventRow) (err error) {
	h := e.convert()
	switch {
	case !validUser(e.UserID):
		err = leftError("it names no user, so nobody could ever have it erased")
	case im.Erased != nil && im.Erased(e.UserID):
		err = leftError(wasErased)
	case !im.DryRun:
		err = im.at(ctx, system, e.CreatedAt, func(_ context.Context, tx *postgres.Tx) error {
			return im.history(tx, e.UserID, "", h, e.changes.kept)
		})
		if auth.ErrRevoked.Is(err) {
			err = leftError(wasErased)
		}
	}
	return im.outcome(ctx, im.report, "events", e.ID, e.UserID, err, e.changes.whats)
}

// convert makes the history of an event; what it keeps of it is in its changes.
func (e *eventRow) convert() *eventsv1.HistoryImported {
	h := &eventsv1.HistoryImported{Table: "events", SourceId: e.ID, EventType: e.Type}
	if e.GoalID != "" {
		h.GoalId = idOf("goals", e.GoalID)
	}
	if e.TaskID != "" {
		h.TaskId = idOf("tasks", e.TaskID)
	}
	c := &e.changes
	c.keep("entity_type", e.EntityType)
	c.keep("entity_id", e.EntityID)
	for name, raw := range map[string]json.RawMessage{"payload": e.Payload, "event_metadata": e.Metadata} {
		if raw = c.json(name, raw); raw != nil {
			c.keep(name, raw)
		}
	}
	return h
}
