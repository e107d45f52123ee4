package webhooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/internal/cloudevent"
	"github.com/goals-tracker/tracker/modules/events/internal/store"
)

// subscription is the name of the checkpoint.
const subscription = "events.webhooks"

var system = auth.System("webhooks")

// Subscription notes, for each event of a course, to whom it is to be sent.
func (s *Service) Subscription() events.Subscription {
	return events.Subscription{
		Name: subscription, Types: events.Types(), SkipHistory: true,
		Handle: func(ctx context.Context, tx *postgres.Tx, e events.Event) error {
			if e.Stream.CourseID == "" {
				return nil
			}
			wanted, err := store.MatchWebhooks(ctx, tx, e.Stream.CourseID, e.Type)
			if err != nil {
				return err
			}
			for _, webhook := range wanted {
				id, err := uuid.NewV7()
				if err != nil {
					return err
				}
				if err := store.InsertDelivery(ctx, tx, id, webhook, e.ID, e.Position, e.Type, e.Stream.SubjectID); err != nil {
					return err
				}
				s.ticket(tx, id, time.Time{})
			}
			return nil
		},
	}
}

// Deliver tries a delivery once, when it is due and nobody else does.
func (s *Service) Deliver(ctx context.Context, id uuid.UUID) error {
	claimed, ok, err := store.ClaimDelivery(ctx, s.db.As(system), id, 2*s.cfg.Timeout+time.Minute)
	if err != nil || !ok {
		return err
	}
	if !claimed.Enabled {
		return s.end(ctx, id, claimed, store.Outcome{Status: "failed", Error: "the webhook is disabled"}, false)
	}
	event, ok, err := s.event(ctx, claimed)
	if err != nil {
		return err // the sweep tries again
	}
	if !ok {
		return s.end(ctx, id, claimed, store.Outcome{Status: "failed", Error: "the event is no more"}, false)
	}
	started := time.Now()
	code, err := s.post(ctx, claimed, event)
	o := store.Outcome{Status: "delivered", Code: code, Duration: time.Since(started)}
	if ctx.Err() != nil {
		return ctx.Err() // the server stops; nobody is to blame
	}
	if err != nil {
		o.Status, o.Error, o.Wait = "pending", reason(err), s.wait(claimed.Attempt)
		if claimed.Attempt >= s.cfg.Attempts {
			o.Status, o.Wait = "failed", 0
		}
	}
	return s.end(ctx, id, claimed, o, true)
}

func (s *Service) event(ctx context.Context, c store.Claimed) (events.Event, bool, error) {
	found, _, err := s.log.Read(ctx, s.db.As(system), events.Filter{For: system, After: c.Position - 1, Before: c.Position + 1, Limit: 1})
	if err != nil || len(found) == 0 || found[0].ID != c.Event {
		return events.Event{}, false, err
	}
	return found[0], true, nil
}

// post sends an event; an error says why it did not arrive.
func (s *Service) post(ctx context.Context, c store.Claimed, e events.Event) (code int, err error) {
	body, err := s.format.Marshal(e)
	if err != nil {
		return 0, err
	}
	// Once more: what is allowed may have changed.
	if err := s.guard.check(c.URL); err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	now := time.Now()
	request.Header.Set("Content-Type", cloudevent.ContentType)
	request.Header.Set("User-Agent", "goals-tracker-webhooks/1")
	request.Header.Set("webhook-id", e.ID.String())
	request.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	request.Header.Set("webhook-signature", signature(e.ID.String(), now, body, c.Secret, c.Previous))
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err
	}
	// What it says is nobody's business here; a little is read to use the
	// connection again.
	_, _ = io.CopyN(io.Discard, response.Body, 4<<10)
	_ = response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return response.StatusCode, fmt.Errorf("it answered %s", http.StatusText(response.StatusCode))
	}
	return response.StatusCode, nil
}

// end notes how an attempt ended, and has it tried again if need be. tried is
// whether the address was to blame.
func (s *Service) end(ctx context.Context, id uuid.UUID, c store.Claimed, o store.Outcome, tried bool) error {
	return s.db.InTx(context.WithoutCancel(ctx), postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		if err := store.EndAttempt(ctx, tx, id, o); err != nil {
			return err
		}
		if o.Status == "delivered" {
			return store.HealWebhook(ctx, tx, c.Webhook)
		}
		if o.Status == "pending" {
			s.ticket(tx, id, time.Now().Add(o.Wait))
		}
		if !tried {
			return nil
		}
		why := fmt.Sprintf("nothing has arrived for %v", s.cfg.DisableAfter)
		if o.Code == http.StatusGone {
			why = "the address said that it is gone (410)"
		}
		enabled, err := store.FailWebhook(ctx, tx, c.Webhook, o.Code == http.StatusGone, s.cfg.DisableAfter, why)
		if err == nil && !enabled {
			s.logger.Warn("a webhook is disabled", "webhook", c.Webhook, "reason", why)
		}
		return err
	})
}

// longestWait is the most between two attempts.
const longestWait = 8 * time.Hour

// wait is three times as long after each failure, and different for each.
func (s *Service) wait(attempt int) time.Duration {
	wait := s.cfg.RetryAfter
	for range attempt - 1 {
		if wait *= 3; wait >= longestWait {
			wait = longestWait
			break
		}
	}
	return wait + rand.N(wait/10+1) //nolint:gosec // it only spreads the attempts
}

// Sweep makes tickets for deliveries whose own are lost, and shortens the log.
func (s *Service) Sweep(ctx context.Context) error {
	err := s.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		lost, err := store.LostDeliveries(ctx, tx, time.Minute)
		for _, id := range lost {
			s.ticket(tx, id, time.Time{})
		}
		return err
	})
	if err != nil {
		return err
	}
	return store.PruneDeliveries(ctx, s.db.As(system), s.cfg.KeepLog)
}

// maxReason bounds what the log keeps of an error.
const maxReason = 300

// reason says why without what only this server may know: where a name led.
func reason(err error) string {
	var address *url.Error
	switch {
	case errors.Is(err, errRefused):
		return errRefused.Error()
	case errors.As(err, &address) && address.Timeout():
		return "it did not answer in time"
	case errors.As(err, &address):
		return "it could not be reached"
	}
	text := err.Error()
	return text[:min(len(text), maxReason)]
}
