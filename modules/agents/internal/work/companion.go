package work

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/companion"
	"github.com/goals-tracker/tracker/modules/core/jobs"
)

type evaluateArgs struct{}

// Kind implements river.JobArgs.
func (evaluateArgs) Kind() string { return "agents_evaluate" }

type coachArgs struct{}

// Kind implements river.JobArgs.
func (coachArgs) Kind() string { return "agents_coach" }

// RegisterCompanion has evaluator and coach look around again and again.
func RegisterCompanion(r *jobs.Registry, c *companion.Companion, cfg agents.Config) {
	jobs.Register(r, &evaluateWorker{companion: c})
	jobs.Register(r, &coachWorker{companion: c})
	r.Every(cfg.EvaluateEvery, evaluateArgs{})
	r.Every(cfg.CoachEvery, coachArgs{})
}

type evaluateWorker struct {
	river.WorkerDefaults[evaluateArgs]
	companion *companion.Companion
}

// Work implements river.Worker.
func (w *evaluateWorker) Work(ctx context.Context, _ *river.Job[evaluateArgs]) error {
	return w.companion.Evaluate(ctx, time.Now().UTC())
}

type coachWorker struct {
	river.WorkerDefaults[coachArgs]
	companion *companion.Companion
}

// Work implements river.Worker.
func (w *coachWorker) Work(ctx context.Context, _ *river.Job[coachArgs]) error {
	return w.companion.Coach(ctx, time.Now().UTC())
}
