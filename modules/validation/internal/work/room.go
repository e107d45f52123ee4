package work

import (
	"log/slog"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/judge"
	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// Room is this machine's sandbox, or why it has none.
type Room struct {
	Runner *sandbox.Runner
	// Pool has rooms waiting; nil when each is built for its step.
	Pool *sandbox.Pool
	// Err is why nothing is judged here; nil when something is.
	Err error
}

// OpenRoom proves that learners' code can be confined. Where it can't, the
// server goes on without judging: runs wait.
func OpenRoom(cfg validation.Config, logger *slog.Logger) Room {
	runner, err := sandbox.New(cfg.Sandbox())
	if err != nil {
		logger.Error("learners' code can't be confined on this machine, so nothing is judged and submissions wait; `tracker doctor` says more", "error", err)
		return Room{Err: err}
	}
	if why := runner.Unsafe(); why != nil {
		logger.Warn("UNSAFE: learners' code runs on this machine without isolation, as validation.unsafe_without_isolation is set; it can reach what its user can", "why", why)
	}
	return Room{Runner: runner}
}

// WithPool keeps rooms waiting, if that is wanted and possible: only rooms made
// of namespaces wait. The pool must be closed.
func (r Room) WithPool(cfg validation.Config, logger *slog.Logger) Room {
	cfg = cfg.WithDefaults()
	if r.Runner != nil && cfg.Pool.Size > 0 && r.Runner.Isolation() == sandbox.Namespaces {
		r.Pool = r.Runner.NewPool(sandbox.PoolConfig{Size: cfg.Pool.Size, MaxRooms: cfg.Pool.MaxRooms, Idle: cfg.Pool.Idle, Logger: logger.With("part", "sandbox")})
	}
	return r
}

// Engine judges in the room.
func (r Room) Engine(host *pluginhost.Host, cfg validation.Config) *judge.Engine {
	cfg = cfg.WithDefaults()
	most := judging.Limits{Wall: cfg.MaxStepTime, CPU: cfg.MaxStepTime, MemoryBytes: uint64(cfg.MaxStepMemory)}
	if r.Err != nil || r.Runner == nil {
		return judge.New(host, nil, most)
	}
	if r.Pool != nil {
		return judge.New(host, r.Pool, most)
	}
	return judge.New(host, r.Runner, most)
}
