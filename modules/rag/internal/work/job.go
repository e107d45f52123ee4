package embed

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/goals-tracker/tracker/modules/core/jobs"
)

// queue keeps embedding, which may take minutes, from holding up other jobs.
const queue = "rag_embed"

type args struct{}

// Kind implements river.JobArgs.
func (args) Kind() string { return "rag_embed" }

// InsertOpts implements river.JobArgsWithInsertOpts: the ticker makes another.
func (args) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue, MaxAttempts: 1} }

type worker struct {
	river.WorkerDefaults[args]
	filler *Filler
}

// Work implements river.Worker.
func (w *worker) Work(ctx context.Context, job *river.Job[args]) error {
	if time.Since(job.ScheduledAt) > 3*max(w.filler.cfg.EmbedEvery, time.Second) {
		return nil // one of many that waited while a long turn ran
	}
	err := w.filler.Work(ctx)
	if err != nil && ctx.Err() == nil {
		// It stands in the space's row, and the next tick tries again; a failed job
		// would say no more.
		w.filler.log.WarnContext(ctx, "passages could not be embedded; it is tried again", "error", err)
	}
	return nil
}

// Timeout implements river.Worker: a turn ends by itself.
func (w *worker) Timeout(*river.Job[args]) time.Duration { return turn + time.Minute }

// Register lets this replica's workers fill spaces.
func Register(r *jobs.Registry, f *Filler) {
	r.Queue(queue, 1)
	jobs.Register(r, &worker{filler: f})
	r.Every(f.cfg.EmbedEvery, args{})
}
