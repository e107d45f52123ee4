// Package work runs the engine in River's jobs: a job is a ticket to take the
// fairest execution that is due, and no more.
package work

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// queue keeps nodes, which may wait for models, from holding up other jobs.
const queue = "agents"

type ticketArgs struct{}

// Kind implements river.JobArgs.
func (ticketArgs) Kind() string { return "agents_ticket" }

type sweepArgs struct{}

// Kind implements river.JobArgs.
func (sweepArgs) Kind() string { return "agents_sweep" }

// Tickets makes jobs.
type Tickets struct{ inserter *jobs.Inserter }

// NewTickets makes it.
func NewTickets(inserter *jobs.Inserter) *Tickets { return &Tickets{inserter: inserter} }

var _ engine.Tickets = (*Tickets)(nil)

// Ticket implements engine.Tickets.
func (t *Tickets) Ticket(tx *postgres.Tx, n int, at time.Time) {
	// One that is lost is made again by the sweeper.
	opts := &river.InsertOpts{Queue: queue, MaxAttempts: 3}
	if time.Until(at) > 0 {
		opts.ScheduledAt = at
	}
	for range n {
		t.inserter.Insert(tx, ticketArgs{}, opts)
	}
}

// Register lets this replica's workers run the engine.
func Register(r *jobs.Registry, e *engine.Engine, cfg agents.Config) {
	r.Queue(queue, cfg.Workers)
	jobs.Register(r, &ticketWorker{engine: e})
	jobs.Register(r, &sweepWorker{engine: e})
	r.Every(cfg.SweepEvery, sweepArgs{})
}

type ticketWorker struct {
	river.WorkerDefaults[ticketArgs]
	engine *engine.Engine
}

// Work implements river.Worker.
func (w *ticketWorker) Work(ctx context.Context, _ *river.Job[ticketArgs]) error {
	_, err := w.engine.Work(ctx)
	return err
}

type sweepWorker struct {
	river.WorkerDefaults[sweepArgs]
	engine *engine.Engine
}

// Work implements river.Worker.
func (w *sweepWorker) Work(ctx context.Context, _ *river.Job[sweepArgs]) error {
	return w.engine.Sweep(ctx)
}
