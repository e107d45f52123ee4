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
	// Err is why nothing is judged here; nil when something is.
	Err error
}

// OpenRoom proves that learners' code can be confined. Where it can't, the
// server goes on without judging: runs wait.
func OpenRoom(cfg validation.Config, logger *slog.Logger) Room {
	cfg = cfg.WithDefaults()
	runner, err := sandbox.New(sandbox.Config{Slots: max(cfg.Slots, 2*cfg.Concurrency), Nice: cfg.Nice})
	if err != nil {
		logger.Error("learners' code can't be confined on this machine, so nothing is judged and submissions wait; `tracker doctor` says more", "error", err)
		return Room{Err: err}
	}
	return Room{Runner: runner}
}

// Engine judges in the room.
func (r Room) Engine(host *pluginhost.Host, cfg validation.Config) *judge.Engine {
	cfg = cfg.WithDefaults()
	most := judging.Limits{Wall: cfg.MaxStepTime, CPU: cfg.MaxStepTime, MemoryBytes: uint64(cfg.MaxStepMemory)}
	if r.Err != nil {
		return judge.New(host, nil, most)
	}
	return judge.New(host, r.Runner, most)
}
