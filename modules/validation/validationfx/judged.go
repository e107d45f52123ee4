package validationfx

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/store"
)

const nobodyJudges = "nobody judges: no server with the role worker and a sandbox was heard of lately, so submissions wait; see server.roles and `tracker doctor`"

// judged tells, on every replica, when no replica at all judges. People are still
// answered, so it takes nobody out of a balancer.
func judged(db *postgres.DB, cfg validation.Config, logger *slog.Logger) rpc.Check {
	var misses atomic.Int64
	return rpc.Check{Name: "judging", Optional: true, Check: func(ctx context.Context) error {
		scene, err := store.LoadScene(ctx, db.As(auth.System("validation")), cfg.Alive())
		switch {
		case err != nil:
			return err
		case scene.Slots > 0:
			if misses.Swap(0) > 1 {
				logger.Info("somebody judges again", "slots", scene.Slots)
			}
			return nil
		}
		if misses.Add(1) == 2 { // the first may be of a start
			logger.Warn(nobodyJudges)
		}
		return errors.New(nobodyJudges)
	}}
}
