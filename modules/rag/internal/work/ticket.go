package work

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// ticketArgs is a job that says: some passages are new. Which ones, the tables
// say when it runs.
type ticketArgs struct{}

// Kind implements river.JobArgs.
func (ticketArgs) Kind() string { return "rag_embed_new" }

// InsertOpts implements river.JobArgsWithInsertOpts. A model that fails for
// longer than these attempts take is tried on by the ticker.
func (ticketArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue, MaxAttempts: 6}
}

// Tickets has new passages given their vectors.
type Tickets struct{ inserter *jobs.Inserter }

// NewTickets makes it.
func NewTickets(inserter *jobs.Inserter) *Tickets { return &Tickets{inserter: inserter} }

// Issue enqueues one ticket with the unit of work, however often it is called.
func (t *Tickets) Issue(tx *postgres.Tx) {
	if tx.Value(t) == nil {
		tx.SetValue(t, true)
		t.inserter.Insert(tx, ticketArgs{}, nil)
	}
}

// Turner is a filler that tells whether it came to the end.
type Turner interface {
	Turn(ctx context.Context) (done bool, err error)
}

type ticketWorker struct {
	river.WorkerDefaults[ticketArgs]
	filler Turner
	log    *slog.Logger
}

const (
	// again is when a ticket is taken up again that could not be worked off.
	again = time.Second
	// swept bounds the tickets that one turn does away with.
	swept = 1000
)

// Work implements river.Worker. The passages of all tickets that wait by now are
// committed, so this turn finds them, and one ticket stands for all.
func (w *ticketWorker) Work(ctx context.Context, _ *river.Job[ticketArgs]) error {
	if err := jobs.Absorb(ctx, ticketArgs{}.Kind(), swept); err != nil {
		return err
	}
	done, err := w.filler.Turn(ctx)
	if err != nil {
		if ctx.Err() == nil {
			w.log.WarnContext(ctx, "new passages could not be embedded and are found by their words alone; it is tried again", "error", err)
		}
		return err
	}
	if !done {
		return river.JobSnooze(again)
	}
	return nil
}

// Timeout implements river.Worker: a turn ends by itself.
func (w *ticketWorker) Timeout(*river.Job[ticketArgs]) time.Duration { return 10 * time.Minute }
