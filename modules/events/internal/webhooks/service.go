// Package webhooks sends a course's events to addresses of its team, signed as
// Standard Webhooks has it, again and again until they arrive.
package webhooks

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/internal/cloudevent"
	"github.com/goals-tracker/tracker/modules/events/internal/store"
)

// oldSecretLife is how long a secret signs after it was replaced.
const oldSecretLife = 24 * time.Hour

// Service implements events.Webhooks, and delivers.
type Service struct {
	db     *postgres.DB
	log    *events.Log
	cfg    events.WebhooksConfig
	format cloudevent.Format
	guard  *guard
	client *http.Client
	seals  *sealer
	ticket func(tx *postgres.Tx, webhook uuid.UUID, at time.Time)
	logger *slog.Logger
	// disabled counts webhooks.
	disabled atomic.Int64
}

// New makes the service. key seals secrets; ticket gives a webhook its turn at a
// time, or at once when that is zero.
func New(db *postgres.DB, log *events.Log, cfg events.WebhooksConfig, key []byte, format cloudevent.Format,
	ticket func(tx *postgres.Tx, webhook uuid.UUID, at time.Time), logger *slog.Logger,
) (*Service, error) {
	g, err := newGuard(cfg)
	if err != nil {
		return nil, err
	}
	seals, err := newSealer(key)
	if err != nil {
		return nil, err
	}
	return &Service{
		db: db, log: log, cfg: cfg, format: format, guard: g, client: g.client(cfg.Timeout), seals: seals, ticket: ticket,
		logger: logger.With("part", "webhooks"),
	}, nil
}

// CreateTx implements events.Webhooks.
func (s *Service) CreateTx(ctx context.Context, tx *postgres.Tx, w events.Webhook) (events.Webhook, string, error) {
	if err := mayManage(tx.Actor(), w.CourseID); err != nil {
		return events.Webhook{}, "", err
	}
	if err := s.check(w.URL, w.Types); err != nil {
		return events.Webhook{}, "", err
	}
	there, err := store.ListWebhooks(ctx, tx, w.CourseID)
	if err != nil {
		return events.Webhook{}, "", err
	}
	if len(there) >= s.cfg.PerCourse {
		return events.Webhook{}, "", events.ErrTooManyWebhooks.New(len(there))
	}
	secret, err := newSecret()
	if err != nil {
		return events.Webhook{}, "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return events.Webhook{}, "", err
	}
	sealed, err := s.seals.seal(id, secret)
	if err != nil {
		return events.Webhook{}, "", err
	}
	made, err := store.InsertWebhook(ctx, tx, store.Webhook{
		ID: id, CourseID: w.CourseID, URL: w.URL, Types: nonNil(w.Types), Description: w.Description,
	}, sealed)
	return webhook(made), secretText(secret), err
}

// Get implements events.Webhooks.
func (s *Service) Get(ctx context.Context, actor auth.Actor, id uuid.UUID) (events.Webhook, error) {
	w, err := s.read(ctx, s.db.As(actor), actor, id)
	return webhook(w), err
}

// List implements events.Webhooks.
func (s *Service) List(ctx context.Context, actor auth.Actor, courseID string) ([]events.Webhook, error) {
	if err := mayManage(actor, courseID); err != nil {
		return nil, err
	}
	found, err := store.ListWebhooks(ctx, s.db.As(actor), courseID)
	all := make([]events.Webhook, len(found))
	for i, w := range found {
		all[i] = webhook(w)
	}
	return all, err
}

// UpdateTx implements events.Webhooks.
func (s *Service) UpdateTx(ctx context.Context, tx *postgres.Tx, id uuid.UUID, change events.WebhookChange) (events.Webhook, error) {
	w, err := s.read(ctx, tx, tx.Actor(), id)
	if err != nil {
		return events.Webhook{}, err
	}
	set(&w.URL, change.URL)
	set(&w.Types, change.Types)
	set(&w.Description, change.Description)
	set(&w.Enabled, change.Enabled)
	w.Types = nonNil(w.Types)
	if err := s.check(w.URL, w.Types); err != nil {
		return events.Webhook{}, err
	}
	w, ok, err := store.UpdateWebhook(ctx, tx, w)
	if err == nil && !ok {
		err = events.ErrWebhookNotFound.New(id)
	}
	if err == nil && w.Enabled {
		s.ticket(tx, id, time.Time{}) // what waited for a better address goes at once
	}
	return webhook(w), err
}

// DeleteTx implements events.Webhooks.
func (s *Service) DeleteTx(ctx context.Context, tx *postgres.Tx, id uuid.UUID) error {
	if _, err := s.read(ctx, tx, tx.Actor(), id); err != nil {
		return err
	}
	return store.DeleteWebhook(ctx, tx, id)
}

// RotateTx implements events.Webhooks.
func (s *Service) RotateTx(ctx context.Context, tx *postgres.Tx, id uuid.UUID) (events.Webhook, string, error) {
	if _, err := s.read(ctx, tx, tx.Actor(), id); err != nil {
		return events.Webhook{}, "", err
	}
	secret, err := newSecret()
	if err != nil {
		return events.Webhook{}, "", err
	}
	sealed, err := s.seals.seal(id, secret)
	if err != nil {
		return events.Webhook{}, "", err
	}
	tx.Become(auth.System("webhooks")) // people's roles read no secrets
	defer tx.Become(tx.Actor())
	w, ok, err := store.RotateWebhook(ctx, tx, id, sealed, oldSecretLife)
	if err == nil && !ok {
		err = events.ErrWebhookNotFound.New(id)
	}
	if err == nil {
		s.ticket(tx, id, time.Time{}) // what waited for a secret that can be opened goes at once
	}
	return webhook(w), secretText(secret), err
}

// Deliveries implements events.Webhooks.
func (s *Service) Deliveries(ctx context.Context, actor auth.Actor, id uuid.UUID, before time.Time, beforeID uuid.UUID, limit int) ([]events.Delivery, error) {
	q := s.db.As(actor)
	if _, err := s.read(ctx, q, actor, id); err != nil {
		return nil, err
	}
	var from *time.Time
	if !before.IsZero() {
		from = &before
	}
	found, err := store.ListDeliveries(ctx, q, id, from, beforeID, limit)
	all := make([]events.Delivery, len(found))
	for i, d := range found {
		all[i] = events.Delivery{
			ID: d.ID, EventID: d.EventID, EventType: d.EventType, Status: d.Status, Attempts: d.Attempts, LastCode: d.Code,
			LastError: d.Error, Duration: time.Duration(d.DurationMS) * time.Millisecond, CreatedAt: d.CreatedAt, NextTryAt: d.NextTryAt,
		}
		if d.DeliveredAt != nil {
			all[i].DeliveredAt = *d.DeliveredAt
		}
	}
	return all, err
}

// read gives a webhook that the actor may manage.
func (s *Service) read(ctx context.Context, q postgres.Queryer, actor auth.Actor, id uuid.UUID) (store.Webhook, error) {
	w, ok, err := store.GetWebhook(ctx, q, id)
	if err == nil && (!ok || mayManage(actor, w.CourseID) != nil) {
		err = events.ErrWebhookNotFound.New(id)
	}
	return w, err
}

func (s *Service) check(address string, types []string) error {
	for _, eventType := range types {
		if !slices.Contains(events.Types(), eventType) {
			return events.ErrUnknownType.New(eventType)
		}
	}
	return s.guard.check(address)
}

func mayManage(actor auth.Actor, courseID string) error {
	if courseID == "" || !actor.Teaches(courseID) {
		return errs.Forbidden.New(errs.Say("webhooks are for the teachers of course %s", "los webhooks son para quienes dan el curso %s", courseID))
	}
	return nil
}

func webhook(w store.Webhook) events.Webhook {
	out := events.Webhook{
		ID: w.ID, CourseID: w.CourseID, URL: w.URL, Types: w.Types, Description: w.Description, Enabled: w.Enabled,
		DisabledReason: w.DisabledReason, CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt,
	}
	if w.FailingSince != nil {
		out.FailingSince = *w.FailingSince
	}
	return out
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func nonNil(types []string) []string {
	if types == nil {
		return []string{}
	}
	return types
}
