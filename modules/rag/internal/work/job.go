// Package work runs what the module does by itself, in River's jobs.
package work

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/rag"
)

// queue keeps embedding, which may take minutes, from holding up other jobs.
const queue = "rag_embed"

type embedArgs struct{}

// Kind implements river.JobArgs.
func (embedArgs) Kind() string { return "rag_embed" }

// InsertOpts implements river.JobArgsWithInsertOpts: the ticker makes another.
func (embedArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue, MaxAttempts: 1} }

type worker struct {
	river.WorkerDefaults[embedArgs]
	filler rag.Filler
	every  time.Duration
	log    *slog.Logger
}

// Work implements river.Worker.
func (w *worker) Work(ctx context.Context, job *river.Job[embedArgs]) error {
	if time.Since(job.ScheduledAt) > 3*max(w.every, time.Second) {
		return nil // one of many that waited while a long turn ran
	}
	err := w.filler.Work(ctx)
	if err != nil && ctx.Err() == nil {
		// It stands in the space's row, and the next tick tries again; a failed job
		// would say no more.
		w.log.WarnContext(ctx, "passages could not be embedded; it is tried again", "error", err)
	}
	return nil
}

// Timeout implements river.Worker: a turn ends by itself.
func (w *worker) Timeout(*river.Job[embedArgs]) time.Duration { return 10 * time.Minute }

// Filler gives passages their vectors.
type Filler interface {
	rag.Filler
	Turner
}

// Register lets this replica's workers give passages their vectors: new ones by
// the tickets of the units of work that wrote them, and whatever else has none,
// as when there was no model, by looking for it from time to time.
func Register(r *jobs.Registry, f Filler, cfg rag.Config, log *slog.Logger) {
	r.Queue(queue, 1)
	jobs.Register(r, &ticketWorker{filler: f, log: log})
	jobs.Register(r, &worker{filler: f, every: cfg.EmbedEvery, log: log})
	r.Every(cfg.EmbedEvery, embedArgs{})
}
