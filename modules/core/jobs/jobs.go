// Package jobs is how modules have work done later: River jobs, enqueued in
// the unit of work that needs them and run by any replica with the worker role.
//
// A job is a ticket, not a store of truth: what there is to do stands in the
// module's own tables under a lease, so that a killed worker's work is found
// again in seconds and not after River's own hour.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Schema holds River's tables.
const Schema = "river"

// Inserter enqueues jobs in a unit of work.
type Inserter struct {
	client *river.Client[pgx.Tx]
}

// NewInserter makes an inserter; it runs nothing.
func NewInserter(db *postgres.DB) (*Inserter, error) {
	client, err := river.NewClient(riverpgxv5.New(db.SystemPool()), &river.Config{Schema: Schema})
	if err != nil {
		return nil, fmt.Errorf("make job inserter: %w", err)
	}
	return &Inserter{client: client}, nil
}

type buffer struct{ params []river.InsertManyParams }

// Insert enqueues a job that exists if and only if the unit of work commits.
// All jobs of a unit of work are written at once, at its end.
func (i *Inserter) Insert(tx *postgres.Tx, args river.JobArgs, opts *river.InsertOpts) {
	buf, _ := tx.Value(i).(*buffer)
	if buf == nil {
		buf = &buffer{}
		tx.SetValue(i, buf)
		tx.BeforeCommit(func(ctx context.Context, tx *postgres.Tx) error {
			tx.SetValue(i, (*buffer)(nil))
			return i.write(ctx, tx, buf.params)
		})
	}
	buf.params = append(buf.params, river.InsertManyParams{Args: args, InsertOpts: opts})
}

func (i *Inserter) write(ctx context.Context, tx *postgres.Tx, params []river.InsertManyParams) error {
	raw, err := tx.PGX(ctx)
	if err != nil {
		return err
	}
	if _, err := i.client.InsertManyTx(ctx, raw, params); err != nil {
		return fmt.Errorf("enqueue jobs: %w", err)
	}
	return nil
}

// Registry is what the workers of this replica can do. Modules fill it at
// wiring time, before the Runner is made.
type Registry struct {
	workers  *river.Workers
	queues   map[string]river.QueueConfig
	periodic []*river.PeriodicJob
}

// NewRegistry makes an empty registry.
func NewRegistry() *Registry {
	return &Registry{workers: river.NewWorkers(), queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 4}}}
}

// Register adds a worker; it panics when its kind is taken.
func Register[T river.JobArgs](r *Registry, worker river.Worker[T]) {
	river.AddWorker(r.workers, worker)
}

// Queue sets how many jobs of a queue this replica runs at once.
func (r *Registry) Queue(name string, maxWorkers int) {
	r.queues[name] = river.QueueConfig{MaxWorkers: maxWorkers}
}

// Every enqueues a job at an interval, once for all replicas.
func (r *Registry) Every(interval time.Duration, args river.JobArgs) {
	r.periodic = append(r.periodic, river.NewPeriodicJob(river.PeriodicInterval(interval),
		func() (river.JobArgs, *river.InsertOpts) { return args, nil }, &river.PeriodicJobOpts{RunOnStart: true}))
}

// Config is how jobs are run.
type Config struct {
	// PollInterval is how often queues are looked at when no notification comes.
	// Defaults to 500 ms.
	PollInterval time.Duration `koanf:"poll_interval"`
	// PollOnly does without LISTEN. Defaults to false; behind a pooler in
	// transaction mode it is so anyway.
	PollOnly bool `koanf:"poll_only"`
	// Grace is how long running jobs may go on when the server stops. Defaults to 10 s.
	Grace time.Duration `koanf:"grace"`
}

// DefaultConfig are the defaults above.
func DefaultConfig() Config {
	return Config{PollInterval: 500 * time.Millisecond, Grace: 10 * time.Second}
}

// quiet leaves of River's log what somebody must look at: it counts its jobs
// every few seconds. At level debug all of it is there.
type quiet struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, level) && (level >= slog.LevelWarn || q.Handler.Enabled(ctx, slog.LevelDebug))
}

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }

// Runner runs jobs until it is stopped.
type Runner struct {
	client *river.Client[pgx.Tx]
	grace  time.Duration
	// hurry closes hurried, which ends the grace.
	hurry   func()
	hurried chan struct{}

	mu sync.Mutex
	// running is whether jobs are taken.
	running bool
	// stopped gives the stop's outcome once there is one.
	stopped chan struct{}
	failure error
}

// NewRunner makes a runner of what is registered.
func NewRunner(db *postgres.DB, registry *Registry, cfg Config, logger *slog.Logger) (*Runner, error) {
	client, err := river.NewClient(riverpgxv5.New(db.SystemPool()), &river.Config{
		Schema:              Schema,
		Workers:             registry.workers,
		Queues:              registry.queues,
		PeriodicJobs:        registry.periodic,
		FetchPollInterval:   cfg.PollInterval,
		FetchCooldown:       min(100*time.Millisecond, cfg.PollInterval),
		PollOnly:            cfg.PollOnly || db.Pooled(),
		Logger:              slog.New(quiet{logger.Handler()}),
		JobTimeout:          10 * time.Minute,
		SkipUnknownJobCheck: true,
	})
	if err != nil {
		return nil, fmt.Errorf("make job runner: %w", err)
	}
	r := &Runner{client: client, grace: cfg.Grace, hurried: make(chan struct{})}
	r.hurry = sync.OnceFunc(func() { close(r.hurried) })
	return r, nil
}

// Start begins to run jobs and returns at once.
func (r *Runner) Start(ctx context.Context) error {
	// The jobs outlive the context of the start.
	if err := r.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start job runner: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = true
	return nil
}

// Check reports why no jobs are taken; for readiness.
func (r *Runner) Check(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.running {
		return errors.New("no jobs are taken")
	}
	return nil
}

// Drain takes no more jobs from now on and returns at once; Stop waits for those
// that run.
func (r *Runner) Drain(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = false
	if r.stopped != nil {
		return
	}
	done := make(chan struct{})
	r.stopped = done
	go func() {
		defer close(done)
		r.failure = r.stop(ctx)
	}()
}

// Stop lets running jobs end within the grace, then cancels them: their modules
// hand back what they held.
func (r *Runner) Stop(ctx context.Context) error {
	r.Drain(ctx)
	r.mu.Lock()
	stopped := r.stopped
	r.mu.Unlock()
	<-stopped // ends with ctx
	return r.failure
}

// Hurry ends the grace that running jobs have when the runner stops, now or later.
func (r *Runner) Hurry() { r.hurry() }

func (r *Runner) stop(ctx context.Context) error {
	soft, cancel := context.WithTimeout(ctx, r.grace)
	defer cancel()
	go func() {
		select {
		case <-r.hurried:
			cancel()
		case <-soft.Done():
		}
	}()
	if err := r.client.Stop(soft); err == nil {
		return nil
	}
	if err := r.client.StopAndCancel(ctx); err != nil {
		return fmt.Errorf("stop job runner: %w", err)
	}
	return nil
}
