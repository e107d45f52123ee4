package events

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Webhook is an address of a course's team that the course's events are sent to.
type Webhook struct {
	ID       uuid.UUID
	CourseID string
	URL      string
	// Types of events; none for all.
	Types       []string
	Description string
	Enabled     bool
	// DisabledReason says why the server disabled it; "" when it did not.
	DisabledReason string
	// FailingSince is since when nothing has arrived; zero while things do.
	FailingSince time.Time
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// WebhookChange is what to change; nil leaves a field alone.
type WebhookChange struct {
	URL         *string
	Types       *[]string
	Description *string
	Enabled     *bool
}

// Delivery is one event on its way to one address.
type Delivery struct {
	ID        uuid.UUID
	EventID   uuid.UUID
	EventType string
	// Status is pending, delivered or failed.
	Status   string
	Attempts int
	// LastCode is the HTTP status of the last answer; 0 when there was none.
	LastCode    int
	LastError   string
	Duration    time.Duration
	CreatedAt   time.Time
	NextTryAt   time.Time
	DeliveredAt time.Time
}

// Webhooks manages webhooks. Everybody but a course's teachers, admins and the
// server itself gets ErrWebhookNotFound, or errs.Forbidden where they name a
// course.
type Webhooks interface {
	// CreateTx starts to send what happens from now on, and gives the secret that
	// it is signed with, once. Errors: ErrWebhookAddress, ErrTooManyWebhooks,
	// ErrUnknownType.
	CreateTx(ctx context.Context, tx *postgres.Tx, w Webhook) (Webhook, string, error)
	// Get gives one.
	Get(ctx context.Context, actor auth.Actor, id uuid.UUID) (Webhook, error)
	// List lists a course's, the oldest first.
	List(ctx context.Context, actor auth.Actor, courseID string) ([]Webhook, error)
	// UpdateTx changes one; enabling it forgets its failures.
	UpdateTx(ctx context.Context, tx *postgres.Tx, id uuid.UUID, change WebhookChange) (Webhook, error)
	// DeleteTx ends one, with its delivery log.
	DeleteTx(ctx context.Context, tx *postgres.Tx, id uuid.UUID) error
	// RotateTx makes a new secret; the old one signs for another day.
	RotateTx(ctx context.Context, tx *postgres.Tx, id uuid.UUID) (Webhook, string, error)
	// Deliveries is the delivery log, newest first, before a delivery's time and id
	// (zero for the newest).
	Deliveries(ctx context.Context, actor auth.Actor, id uuid.UUID, before time.Time, beforeID uuid.UUID, limit int) ([]Delivery, error)
}

// WebhooksConfig is the section "events.webhooks".
type WebhooksConfig struct {
	// Allow are networks that webhooks may reach beside the public ones:
	// "10.1.0.0/16". Without it loopback, private and link-local addresses are
	// refused, whatever name leads there. Defaults to none.
	Allow []string `koanf:"allow"`
	// AllowHTTP also takes addresses without TLS. Defaults to false.
	AllowHTTP bool `koanf:"allow_http"`
	// Timeout bounds one attempt. Defaults to 10 s.
	Timeout time.Duration `koanf:"timeout"`
	// DisableAfter is how long nothing may arrive before a webhook is disabled.
	// Defaults to 72 h.
	DisableAfter time.Duration `koanf:"disable_after"`
	// KeepLog is how long deliveries stay in the log, and KeepLines how many of a
	// webhook at most. Default to 720 h and 10000.
	KeepLog   time.Duration `koanf:"keep_log"`
	KeepLines int           `koanf:"keep_lines"`
	// RetryAfter is the wait after the first failure of a delivery; each further one
	// is three times as long, up to 8 h, and as long as the address asks for. A
	// webhook rests likewise after failures in a row, up to 10 min. Defaults to 5 s.
	RetryAfter time.Duration `koanf:"retry_after"`
	// Attempts is how often a delivery is tried. Defaults to 12, which takes about
	// a day and a half.
	Attempts int `koanf:"attempts"`
	// Backlog is how many deliveries may wait before a webhook is disabled.
	// Defaults to 10000.
	Backlog int `koanf:"backlog"`
	// KeyFile holds the key that secrets are sealed with in the database: 32 random
	// bytes or more, the same for all replicas, made when it is not there. Defaults
	// to webhooks.key in events.erasure.dir, which replicas share.
	KeyFile string `koanf:"key_file"`
	// PerCourse is how many webhooks a course may have. Defaults to 10.
	PerCourse int `koanf:"per_course"`
}

// DefaultWebhooksConfig is what holds when nothing is set.
func DefaultWebhooksConfig() WebhooksConfig {
	return WebhooksConfig{
		Timeout: 10 * time.Second, DisableAfter: 72 * time.Hour, KeepLog: 30 * 24 * time.Hour,
		KeepLines: 10_000, RetryAfter: 5 * time.Second, Attempts: 12, Backlog: 10_000, PerCourse: 10,
	}
}

func (c WebhooksConfig) withDefaults() WebhooksConfig {
	d := DefaultWebhooksConfig()
	c.Timeout, c.DisableAfter, c.KeepLog = positive(c.Timeout, d.Timeout), positive(c.DisableAfter, d.DisableAfter), positive(c.KeepLog, d.KeepLog)
	c.KeepLines, c.Backlog = positive(c.KeepLines, d.KeepLines), positive(c.Backlog, d.Backlog)
	c.RetryAfter, c.Attempts, c.PerCourse = positive(c.RetryAfter, d.RetryAfter), positive(c.Attempts, d.Attempts), positive(c.PerCourse, d.PerCourse)
	return c
}

// What can go wrong with webhooks.
var (
	ErrWebhookNotFound = errs.Define(errs.NotFound, "webhook_not_found",
		"There is no webhook %s.", "No existe el webhook %s.")
	ErrWebhookAddress = errs.Define(errs.InvalidArgument, "webhook_address_refused",
		"The address %q can't be used. It must begin with https://, hold no user or password, name no port below 1024 but 443, and lead to a public server.",
		"La dirección %q no se puede usar. Debe empezar por https://, no contener usuario ni contraseña, no indicar un puerto menor de 1024 salvo el 443 y llevar a un servidor público.")
	ErrTooManyWebhooks = errs.Define(errs.FailedPrecondition, "too_many_webhooks",
		"The course has %d webhooks already. Delete one first.", "El curso ya tiene %d webhooks. Elimina uno antes.")
	ErrUnknownType = errs.Define(errs.InvalidArgument, "event_type_unknown",
		"There are no events of type %q. /schemas/ lists the types.", "No hay eventos de tipo %q. /schemas/ enumera los tipos.")
)
