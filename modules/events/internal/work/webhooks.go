// Package work runs what the log sends outside by itself, in River's jobs.
package work

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/internal/webhooks"
)

// queue keeps slow addresses from holding up other jobs.
const queue = "webhooks"

// deliverArgs name the webhook whose turn it is.
type deliverArgs struct {
	ID uuid.UUID `json:"id"`
}

// Kind implements river.JobArgs.
func (deliverArgs) Kind() string { return "events_webhook_deliver" }

// InsertOpts implements river.JobArgsWithInsertOpts: the end of a turn makes the
// next ticket, and the sweep one for those that are lost.
func (deliverArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue, MaxAttempts: 1}
}

type deliverer struct {
	river.WorkerDefaults[deliverArgs]
	service *webhooks.Service
}

// Work implements river.Worker.
func (w *deliverer) Work(ctx context.Context, job *river.Job[deliverArgs]) error {
	return w.service.Turn(ctx, job.Args.ID)
}

type sweepArgs struct{}

// Kind implements river.JobArgs.
func (sweepArgs) Kind() string { return "events_webhook_sweep" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (sweepArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: 1} }

type sweeper struct {
	river.WorkerDefaults[sweepArgs]
	service *webhooks.Service
}

// Work implements river.Worker.
func (w *sweeper) Work(ctx context.Context, _ *river.Job[sweepArgs]) error {
	return w.service.Sweep(ctx)
}

// Ticket gives a webhook its turn at a time, or at once.
func Ticket(inserter *jobs.Inserter) func(tx *postgres.Tx, webhook uuid.UUID, at time.Time) {
	return func(tx *postgres.Tx, webhook uuid.UUID, at time.Time) {
		var opts *river.InsertOpts
		if !at.IsZero() {
			opts = &river.InsertOpts{Queue: queue, MaxAttempts: 1, ScheduledAt: at}
		}
		inserter.Insert(tx, deliverArgs{ID: webhook}, opts)
	}
}

// Register lets this replica's workers deliver.
func Register(r *jobs.Registry, service *webhooks.Service) {
	r.Queue(queue, 16) // each waits for an address most of the time
	jobs.Register(r, &deliverer{service: service})
	jobs.Register(r, &sweeper{service: service})
	r.Every(time.Minute, sweepArgs{})
}
