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

// ListQueue is River's queue of re-judgings to list: one at a time, beside those
// that judge.
const ListQueue = "validation_lists"

// Listing is a job that queues the runs of a re-judging.
type Listing struct {
	RejudgingID string `json:"rejudging_id"`
}

// Kind implements river.JobArgs.
func (Listing) Kind() string { return "validation_listing" }

// List enqueues the listing of a re-judging with the unit of work.
func (t *Tickets) List(tx *postgres.Tx, rejudgingID string) {
	t.inserter.Insert(tx, Listing{RejudgingID: rejudgingID}, &river.InsertOpts{Queue: ListQueue})
}

// Lister queues the runs of a re-judging.
type Lister interface {
	List(ctx context.Context, rejudgingID string) error
}

// Register lets this server work tickets and listings.
func Register(registry *jobs.Registry, w *Worker, l Lister) {
	registry.Queue(Queue, w.cfg.Concurrency)
	jobs.Register(registry, &ticketWorker{worker: w})
	registry.Queue(ListQueue, 1)
	jobs.Register(registry, &listWorker{lister: l})
}

type listWorker struct {
	river.WorkerDefaults[Listing]
	lister Lister
}

// Work implements river.Worker.
func (l *listWorker) Work(ctx context.Context, job *river.Job[Listing]) error {
	return l.lister.List(ctx, job.Args.RejudgingID)
}

// Timeout implements river.Worker: what is left is listed by the next attempt.
func (l *listWorker) Timeout(*river.Job[Listing]) time.Duration { return 10 * time.Minute }

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
