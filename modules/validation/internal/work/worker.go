package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/judge"
	"github.com/goals-tracker/tracker/modules/validation/internal/service"
	"github.com/goals-tracker/tracker/modules/validation/internal/store"
	"github.com/goals-tracker/tracker/sdk/judging"
)

var system = auth.System("validation")

// errLost: another worker holds the run by now, or it was deleted.
var errLost = errors.New("the lease on the run is lost")

// publishFor is how long a worker tries to store a verdict that it has.
const publishFor = 30 * time.Second

// Judge judges one job; *judge.Engine does.
type Judge interface {
	Judge(ctx context.Context, job judge.Job, stage func(string)) (judge.Result, error)
	Versions(ctx context.Context, plugin string) (version string, toolchain map[string]string, err error)
}

// Pusher pushes to learners' screens; *bus.Bus does.
type Pusher interface{ Publish(bus.Message) }

// Metrics hears of each verdict.
type Metrics interface {
	Judged(r validation.Report, reason validation.Reason)
}

// Deps are what a worker works with.
type Deps struct {
	DB      *postgres.DB
	Log     *events.Log
	Tasks   tasks.Service
	Judge   Judge
	Tickets service.Tickets
	Pusher  Pusher
	// Key recognizes equal submissions; see keyfile.Load.
	Key []byte
	// Metrics may be nil.
	Metrics Metrics
	Logger  *slog.Logger
}

// Worker judges waiting runs. It is safe for concurrent use.
type Worker struct {
	Deps
	cfg  validation.Config
	name string
	key  []byte
	busy atomic.Int32
	told map[string]told
}

// New makes a worker.
func New(d Deps, cfg validation.Config) *Worker {
	host, _ := os.Hostname()
	return &Worker{
		Deps: d, cfg: cfg.WithDefaults(), key: d.Key, told: map[string]told{},
		name: fmt.Sprintf("%s/%d/%s", host, os.Getpid(), uuid.NewString()[:8]),
	}
}

// Next takes the run whose turn it is and brings it to its end, or back into
// the queue; false when none waits.
func (w *Worker) Next(ctx context.Context) (bool, error) {
	began := time.Now()
	lease, run, err := w.take(ctx)
	if err != nil || lease == nil {
		return false, err
	}
	w.busy.Add(1)
	defer w.busy.Add(-1)
	log := w.Logger.With("run", run.ID, "task", run.TaskID, "attempt", lease.Attempt)

	held, release := w.hold(ctx, *lease)
	defer release()
	done, err := w.attempt(held, *lease, run)
	if err == nil {
		err = w.publish(ctx, *lease, done)
	}
	switch {
	case err == nil:
		log.Info("run judged", "verdict", done.report.Verdict, "deduplicated", done.deduplicated)
		w.judged(done.report, run)
		w.learn(ctx, *lease, time.Since(began))
		return true, nil
	case errors.Is(err, errLost) || errors.Is(context.Cause(held), errLost):
		log.Warn("the run was taken over or deleted meanwhile, so its result is dropped")
		return true, nil
	case ctx.Err() != nil:
		log.Info("the server stops, so the run goes back into the queue")
		return true, w.giveBack(ctx, *lease, 0, false)
	case lease.Attempt < w.cfg.MaxAttempts:
		wait := w.cfg.RetryAfter << (2 * (lease.Attempt - 1))
		log.Warn("a run could not be judged and is tried again", "error", err, "again_in", wait.String())
		return true, w.giveBack(ctx, *lease, wait, true)
	}
	log.Error("a run could not be judged and is given up", "error", err)
	given := validation.PlatformError(run.Plugin)
	w.judged(given, run)
	return true, w.orLost(w.publish(ctx, *lease, verdict{report: given}))
}

func (w *Worker) orLost(err error) error {
	if errors.Is(err, errLost) {
		return nil
	}
	return err
}

// take leases a run and says that it started.
func (w *Worker) take(ctx context.Context) (lease *store.Lease, run validation.Run, err error) {
	token := uuid.NewString()
	err = w.DB.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		if lease, err = store.Take(ctx, tx, token, w.name, w.cfg.Lease); err != nil {
			return err
		}
		if lease == nil {
			return w.comeBack(ctx, tx)
		}
		r, err := store.LockRun(ctx, tx, lease.RunID)
		if err != nil {
			return err
		}
		if r == nil {
			return fmt.Errorf("run %s stands in the queue but has no row", lease.RunID)
		}
		run = *r
		if lease.Attempt > w.cfg.MaxAttempts {
			return nil // it only remains to be given up
		}
		run, err = service.Write(ctx, tx, w.Log, run, validation.Started{Attempt: lease.Attempt})
		return err
	})
	return lease, run, err
}

// busyWait is when to come back for a run that somebody else holds right now.
const busyWait = 200 * time.Millisecond

// comeBack keeps a ticket from being lost: where a run may be judged and none
// could be taken, another unit of work holds it at this moment.
func (w *Worker) comeBack(ctx context.Context, tx *postgres.Tx) error {
	ready, err := store.Ready(ctx, tx)
	if err == nil && ready {
		w.Tickets.Issue(tx, time.Now().Add(busyWait))
	}
	return err
}

func (w *Worker) judged(r validation.Report, run validation.Run) {
	if w.Metrics != nil {
		w.Metrics.Judged(r, run.Reason)
	}
}

// learn remembers how long a run kept a slot busy, for forecasts.
func (w *Worker) learn(ctx context.Context, lease store.Lease, took time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.cfg.Lease)
	defer cancel()
	if err := store.Observe(ctx, w.DB.As(system), lease.Kind, took); err != nil {
		w.Logger.Warn("how long a run took could not be noted", "run", lease.RunID, "error", err)
	}
}

// verdict is what is to be published.
type verdict struct {
	report       validation.Report
	deduplicated bool
	// key finds it again; nil for what is not to be found.
	key []byte
}

// attempt judges a run outside of any transaction. Any error is the platform's.
func (w *Worker) attempt(ctx context.Context, lease store.Lease, run validation.Run) (verdict, error) {
	if lease.Attempt > w.cfg.MaxAttempts {
		return verdict{}, fmt.Errorf("workers died over it %d times", w.cfg.MaxAttempts)
	}
	ctx, cancel := context.WithTimeout(ctx, w.cfg.MaxRun)
	defer cancel()
	snapshot, err := store.Snapshot(ctx, w.DB.As(system), system, run.SnapshotID)
	if err != nil {
		return verdict{}, err
	}
	task, err := w.Tasks.Get(ctx, system, run.TaskID)
	if tasks.ErrNotFound.Is(err) || err == nil && snapshot == nil {
		return verdict{}, errLost // deleted meanwhile
	}
	if err != nil {
		return verdict{}, err
	}
	policy, err := store.Policy(ctx, w.DB.As(system), run.CourseID)
	if err != nil {
		return verdict{}, err
	}
	required := policy.RequiredIntegrity
	if task.Validation != nil {
		required = validation.Stronger(required, judging.Integrity(task.Validation.RequiredIntegrity))
	}
	version, toolchain, err := w.Judge.Versions(ctx, run.Plugin)
	if err != nil {
		return verdict{}, err
	}
	key, err := w.sameAs(*snapshot, task, run.Plugin, version, toolchain, required)
	if err != nil {
		return verdict{}, err
	}
	waited := max(run.StartedAt.Sub(run.CreatedAt), 0)
	if run.Reason != validation.ReasonRejudged {
		known, err := store.KnownReport(ctx, w.DB.As(system), run.UserID, run.TaskID, key)
		if err != nil {
			return verdict{}, err
		}
		if known != nil {
			known.Timings = validation.Timings{Queue: waited}
			return verdict{report: *known, deduplicated: true}, nil
		}
	}
	job, err := jobOf(*snapshot, task, run.Plugin, required)
	if err != nil {
		return verdict{}, err
	}
	result, err := w.Judge.Judge(ctx, job, func(stage string) { w.pushStage(run, lease.Attempt, stage) })
	if broken := (*judging.TaskError)(nil); errors.As(err, &broken) {
		w.Logger.Warn("a task can't be judged by; its teacher is told in the run", "run", run.ID, "task", run.TaskID, "plugin", run.Plugin)
		report := validation.TaskProblem(run.Plugin, broken.Problem)
		report.PluginVersion, report.Toolchain, report.RequiredIntegrity = version, toolchain, string(required)
		report.Timings.Queue = waited
		return verdict{report: report}, nil
	}
	if err != nil {
		return verdict{}, err
	}
	report := validation.NewReport(result, required, w.cfg.MaxReportBytes)
	report.Timings.Queue = waited
	if !steady(report) {
		key = nil
	}
	return verdict{report: report, key: key}, nil
}

// hold renews the lease until release is called; the context ends with errLost
// when the lease is no longer ours.
func (w *Worker) hold(ctx context.Context, lease store.Lease) (held context.Context, release func()) {
	held, lose := context.WithCancelCause(ctx)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(w.cfg.Lease / 4)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
			}
			// Also while the server stops: the run is given back first.
			call, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.cfg.Lease)
			ours, err := store.Renew(call, w.DB.As(system), lease, w.cfg.Lease)
			cancel()
			if err != nil {
				w.Logger.Warn("a lease could not be renewed", "run", lease.RunID, "error", err)
			} else if !ours {
				lose(errLost)
				return
			}
		}
	}()
	return held, func() {
		close(stop)
		<-done
		lose(context.Canceled)
	}
}
