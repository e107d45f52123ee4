package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// tidyEvery is how often what core itself keeps for a while is forgotten.
const tidyEvery = time.Hour

type tidyArgs struct{}

// Kind implements river.JobArgs.
func (tidyArgs) Kind() string { return "core_tidy" }

type tidyWorker struct {
	river.WorkerDefaults[tidyArgs]
	db *postgres.DB
}

// Work implements river.Worker.
func (w *tidyWorker) Work(ctx context.Context, _ *river.Job[tidyArgs]) error {
	_, err := w.db.Tidy(ctx)
	return err
}

// RegisterTidy has workers forget what core keeps for a while: idempotency keys.
func RegisterTidy(r *Registry, db *postgres.DB) {
	Register(r, &tidyWorker{db: db})
	r.Every(tidyEvery, tidyArgs{})
}
