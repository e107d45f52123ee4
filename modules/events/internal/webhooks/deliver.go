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
				wait, needed, err := store.AwaitTurn(ctx, tx, webhook)
				if err != nil {
					return err
				}
				if needed {
					s.ticketIn(tx, webhook, wait)
				}
			}
			return nil
		},
	}
}

// turnTime is how long a worker goes on with one webhook while others may wait.
const turnTime = 15 * time.Second

// Turn sends what is due to a webhook, in order, until nothing is, something
// fails or it is others' turn. It does nothing when another worker is at it.
func (s *Service) Turn(ctx context.Context, webhook uuid.UUID) (err error) {
	holder, life := uuid.New(), 2*s.cfg.Timeout+time.Minute
	mine, err := store.TakeTurn(ctx, s.db.As(system), webhook, holder, life)
	if err != nil || !mine {
		return err
	}
	// Handed back also when the server stops; when that fails, the lease ends.
	defer func() { err = errors.Join(err, s.endTurn(context.WithoutCancel(ctx), webhook, holder)) }()
	for started := time.Now(); time.Since(started) < turnTime && ctx.Err() == nil; {
		claimed, ok, err := store.ClaimDelivery(ctx, s.db.As(system), webhook, holder, life)
		if err != nil || !ok {
			return err
		}
		if goOn, err := s.deliver(ctx, claimed); err != nil || !goOn {
			return err
		}
	}
	return nil
}

func (s *Service) endTurn(ctx context.Context, webhook, holder uuid.UUID) error {
	return s.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		wait, more, err := store.EndTurn(ctx, tx, webhook, holder)
		if err != nil || !more {
			return err
		}
		s.ticketIn(tx, webhook, wait)
		return nil
	})
}

// ticketIn gives a webhook its turn after a wait.
func (s *Service) ticketIn(tx *postgres.Tx, webhook uuid.UUID, wait time.Duration) {
	at := time.Time{}
	if wait > 50*time.Millisecond { // River is in no hurry with jobs that are scheduled
		at = time.Now().Add(wait)
	}
	s.ticket(tx, webhook, at)
}

// deliver tries a delivery once; goOn is false when the webhook has to rest.
func (s *Service) deliver(ctx context.Context, c store.Claimed) (goOn bool, err error) {
	event, ok, err := s.event(ctx, c)
	if err != nil {
		return false, err
	}
	if !ok {
		return true, store.EndAttempt(ctx, s.db.As(system), c.ID, store.Outcome{Status: "failed", Error: "the event is no more"})
	}
	secrets, err := s.secrets(c)
	if err != nil {
		s.logger.Error("a webhook can't be delivered to", "webhook", c.Webhook, "error", err)
		return false, store.PauseWebhook(ctx, s.db.As(system), c.Webhook, time.Minute)
	}
	started := time.Now()
	code, after, err := s.post(ctx, c, event, secrets)
	o := store.Outcome{Status: "delivered", Code: code, Duration: time.Since(started)}
	if ctx.Err() != nil {
		return false, ctx.Err() // the server stops; nobody is to blame
	}
	if err != nil {
		o.Status, o.Error, o.Wait = "pending", reason(err), max(s.wait(c.Attempt), after)
		if c.Attempt >= s.cfg.Attempts {
			o.Status, o.Wait = "failed", 0
		}
	}
	return err == nil, s.end(ctx, c, o, after)
}

// secrets are those that sign; a replaced one that can't be opened no longer
// does.
func (s *Service) secrets(c store.Claimed) ([][]byte, error) {
	secret, err := s.seals.open(c.Webhook, c.Secret)
	if err != nil {
		return nil, err
	}
	previous, err := s.seals.open(c.Webhook, c.Previous)
	if err != nil {
		s.logger.Warn("a webhook's replaced secret no longer signs", "webhook", c.Webhook, "error", err)
		previous = nil
	}
	return [][]byte{secret, previous}, nil
}

func (s *Service) event(ctx context.Context, c store.Claimed) (events.Event, bool, error) {
	found, _, err := s.log.Read(ctx, s.db.As(system), events.Filter{For: system, After: c.Position - 1, Before: c.Position + 1, Limit: 1})
	if err != nil || len(found) == 0 || found[0].ID != c.Event {
		return events.Event{}, false, err
	}
	return found[0], true, nil
}

// post sends an event; an error says why it did not arrive, and after how long
// the address wants to be left alone.
func (s *Service) post(ctx context.Context, c store.Claimed, e events.Event, secrets [][]byte) (code int, after time.Duration, err error) {
	body, err := s.format.Marshal(e)
	if err != nil {
		return 0, 0, err
	}
	// Once more: what is allowed may have changed.
	if err := s.guard.check(c.URL); err != nil {
		return 0, 0, errRefused
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	now := time.Now()
	request.Header.Set("Content-Type", cloudevent.ContentType)
	request.Header.Set("User-Agent", "goals-tracker-webhooks/1")
	request.Header.Set("webhook-id", e.ID.String())
	request.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	request.Header.Set("webhook-signature", signature(e.ID.String(), now, body, secrets...))
	response, err := s.client.Do(request)
	if err != nil {
		return 0, 0, err
	}
	// What it says is nobody's business here; a little is read to use the
	// connection again.
	_, _ = io.CopyN(io.Discard, response.Body, 4<<10)
	_ = response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return response.StatusCode, retryAfter(response, now), fmt.Errorf("it answered %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	}
	return response.StatusCode, 0, nil
}

// retryAfter is how long an address that is busy asks for, up to longestWait.
func retryAfter(response *http.Response, now time.Time) time.Duration {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	text := response.Header.Get("Retry-After")
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), longestWait)
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, int64(longestWait/time.Second))) * time.Second
}

// end notes how an attempt ended, and what follows for the webhook.
func (s *Service) end(ctx context.Context, c store.Claimed, o store.Outcome, after time.Duration) error {
	f := store.Failure{
		Gone: o.Code == http.StatusGone, Most: s.cfg.DisableAfter,
		// A few in a row: the first failure after weeks without events proves nothing.
		Often:  c.Failures+1 >= min(fewFailures, s.cfg.Attempts),
		Reason: fmt.Sprintf("nothing has arrived for %v", s.cfg.DisableAfter),
		Pause:  max(min(s.wait(c.Failures+1), longestPause), after),
	}
	if f.Gone {
		f.Reason = "the address said that it is gone (410)"
	}
	var disabled bool
	err := s.db.InTx(context.WithoutCancel(ctx), postgres.As(system), func(ctx context.Context, tx *postgres.Tx) (err error) {
		enabled := true
		// The webhook first, as Sweep does: two that lock in another order wait for
		// each other.
		if o.Status == "delivered" {
			err = store.HealWebhook(ctx, tx, c.Webhook)
		} else {
			enabled, disabled, err = store.FailWebhook(ctx, tx, c.Webhook, f)
		}
		if err != nil {
			return err
		}
		if err := store.EndAttempt(ctx, tx, c.ID, o); err != nil || enabled {
			return err
		}
		return store.FailWaiting(ctx, tx, disabledReason)
	})
	if err == nil && disabled {
		s.tellDisabled(c.Webhook, f.Reason)
	}
	return err
}

// disabledReason is why what waited for a disabled webhook was given up.
const disabledReason = "the webhook is disabled"

func (s *Service) tellDisabled(webhook uuid.UUID, reason string) {
	s.disabled.Add(1)
	s.logger.Warn("a webhook is disabled", "webhook", webhook, "reason", reason)
}

// Disabled is how many webhooks this replica has disabled.
func (s *Service) Disabled() int64 { return s.disabled.Load() }

// fewFailures in a row are needed before a webhook is disabled for its silence.
const fewFailures = 5

// longestPause is the most that a webhook rests between two attempts, unless it
// asks for more: what is dead costs little, what is back is found soon.
const longestPause = 10 * time.Minute

// longestWait is the most between two attempts of a delivery.
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

// Sweep makes tickets for webhooks whose own are lost, disables those that don't
// keep up, shortens the log and seals secrets.
func (s *Service) Sweep(ctx context.Context) error {
	tooMany := fmt.Sprintf("more than %d deliveries wait for it", s.cfg.Backlog)
	var behind []uuid.UUID
	err := s.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) (err error) {
		if behind, err = store.DisableBehind(ctx, tx, s.cfg.Backlog, tooMany); err != nil {
			return err
		}
		// Also of those that their team disabled.
		if err := store.FailWaiting(ctx, tx, disabledReason); err != nil {
			return err
		}
		lost, err := store.LostTurns(ctx, tx, time.Minute)
		for _, webhook := range lost {
			s.ticket(tx, webhook, time.Time{})
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, webhook := range behind {
		s.tellDisabled(webhook, tooMany)
	}
	return errors.Join(store.PruneDeliveries(ctx, s.db.As(system), s.cfg.KeepLog, s.cfg.KeepLines), s.sealAll(ctx))
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
