// Package work judges what waits in the queue, under leases, and publishes each
// verdict exactly once.
package work

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Queue is River's queue of tickets; only servers that have a sandbox work it.
const Queue = "validation"

// Ticket is a job that says: some run waits. Which one it takes, the fair
// queue decides then.
type Ticket struct{}

// Kind implements river.JobArgs.
func (Ticket) Kind() string { return "validation_ticket" }

// Tickets issues tickets.
type Tickets struct{ inserter *jobs.Inserter }

// NewTickets makes an issuer.
func NewTickets(inserter *jobs.Inserter) *Tickets { return &Tickets{inserter} }

// Issue enqueues a ticket with the unit of work, for the time at; the zero time
// is now.
func (t *Tickets) Issue(tx *postgres.Tx, at time.Time) {
	t.inserter.Insert(tx, Ticket{}, &river.InsertOpts{Queue: Queue, MaxAttempts: 3, ScheduledAt: at})
}

// Register lets this server work tickets.
func Register(registry *jobs.Registry, w *Worker) {
	registry.Queue(Queue, w.cfg.Concurrency)
	jobs.Register(registry, &ticketWorker{worker: w})
}

type ticketWorker struct {
	river.WorkerDefaults[Ticket]
	worker *Worker
}

// Work implements river.Worker.
func (t *ticketWorker) Work(ctx context.Context, _ *river.Job[Ticket]) error {
	_, err := t.worker.Next(ctx)
	return err
}

// Timeout implements river.Worker: an attempt bounds itself.
func (t *ticketWorker) Timeout(*river.Job[Ticket]) time.Duration {
	return t.worker.cfg.MaxRun + 2*publishFor
}
