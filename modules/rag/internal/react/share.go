package react

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/rag/internal/service"
)

// shareEvery is how soon a changed policy shows.
const shareEvery = 5 * time.Second

type shareArgs struct{}

// Kind implements river.JobArgs.
func (shareArgs) Kind() string { return "rag_share" }

// InsertOpts implements river.JobArgsWithInsertOpts: the next one tries again.
func (shareArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 1}
}

type sharer struct {
	river.WorkerDefaults[shareArgs]
	service *service.Service
}

// Work implements river.Worker.
func (w *sharer) Work(ctx context.Context, _ *river.Job[shareArgs]) error {
	return w.service.Settle(ctx)
}

// Timeout implements river.Worker: a course may have much to share.
func (w *sharer) Timeout(*river.Job[shareArgs]) time.Duration { return 10 * time.Minute }

// Register has a replica settle changed policies.
func Register(r *jobs.Registry, s *service.Service) {
	jobs.Register(r, &sharer{service: s})
	r.Every(shareEvery, shareArgs{})
}
