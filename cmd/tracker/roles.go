package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/roles"
	"github.com/goals-tracker/tracker/modules/core/rpc"
)

func newRoles(cfg Config) (roles.Set, error) { return roles.Parse(cfg.Server.Roles) }

// readiness is what must hold before balancers send somebody here: for each role
// what its work needs.
func readiness(p serverParams) []rpc.Check {
	checks := []rpc.Check{{Name: "database", Check: p.DB.Ping}, {Name: "serving", Check: p.Drain.check}}
	if p.Roles.Has(roles.Worker) {
		checks = append(checks, rpc.Check{Name: "jobs", Check: p.Runner.Check})
	}
	if p.Broker.Configured() {
		checks = append(checks, rpc.Check{Name: "rabbitmq", Optional: true, Check: func(context.Context) error {
			if h := p.Broker.Health(); h.State != broker.Connected {
				return errors.New(h.Reason)
			}
			return nil
		}})
	}
	if p.Config.Redis.URL != "" {
		checks = append(checks, rpc.Check{Name: "redis", Optional: true, Check: p.Cache.Check})
	}
	return checks
}

// workJobs runs jobs on replicas that are for it.
func workJobs(lc fx.Lifecycle, is roles.Set, runner *jobs.Runner, stopping *drain) {
	if !is.Has(roles.Worker) {
		return
	}
	stopping.jobs = runner
	lc.Append(fx.Hook{OnStart: runner.Start, OnStop: runner.Stop})
}

// drain is the first thing a replica does when it is told to stop: it takes no
// more jobs and says that it is not ready, while it still answers.
type drain struct {
	began  atomic.Bool
	delay  time.Duration
	logger *slog.Logger
	// jobs is nil on replicas that run none.
	jobs *jobs.Runner
	// hurried is closed when the replica is told a second time to stop: what is
	// being done is cut off, and done again elsewhere.
	hurried chan struct{}
}

func newDrain(cfg Config, logger *slog.Logger) *drain {
	return &drain{delay: cfg.Server.DrainDelay, logger: logger, hurried: make(chan struct{})}
}

// hurryAt has nothing waited for any more when a signal comes, until ctx ends. It
// is called once.
func (d *drain) hurryAt(ctx context.Context, again <-chan os.Signal) {
	select {
	case <-again:
		d.logger.Warn("told again to stop: what is being done is cut off, and done again elsewhere")
		if d.jobs != nil {
			d.jobs.Hurry()
		}
		close(d.hurried)
	case <-ctx.Done():
	}
}

var errStopping = errors.New("the server is stopping")

func (d *drain) check(context.Context) error {
	if d.began.Load() {
		return errStopping
	}
	return nil
}

// begin returns when balancers have had the time to notice. Jobs end meanwhile.
func (d *drain) begin(ctx context.Context) {
	d.began.Store(true)
	if d.jobs != nil {
		d.jobs.Drain(ctx)
	}
	if d.delay <= 0 {
		return
	}
	d.logger.Info("draining: not ready any more, still answering", "for", d.delay.String())
	select {
	case <-time.After(d.delay):
	case <-d.hurried:
	case <-ctx.Done():
	}
}
