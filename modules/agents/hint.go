package agents

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Hinter gives hints on tasks, one rung of the ladder after the other.
type Hinter interface {
	// PrepareHint makes the next rung of hints for a task of the actor by rules; it
	// only reads. tasks.ErrNotFound, errs.Forbidden (another's task).
	PrepareHint(ctx context.Context, actor auth.Actor, r HintRequest) (Hint, error)
	// HintTx gives a prepared hint. When another was given meanwhile, that one
	// comes back. Where a model may write it, a run of GraphHint does so, and what
	// comes back is pending.
	HintTx(ctx context.Context, tx *postgres.Tx, h Hint) (Hint, error)
	// AwaitHint waits until a pending hint is there. When that takes longer than
	// configured, or nothing comes of it, the prepared one is given in its place.
	AwaitHint(ctx context.Context, actor auth.Actor, id string, prepared Hint) (Hint, error)
}

// GraphHint has a model write a rung of the ladder of hints.
const GraphHint = "hint"

// HintRequest asks for a hint.
type HintRequest struct {
	TaskID string
	// Question are the learner's words, at most 4,000 characters; "" for none.
	Question string
	// Locale is "en", "es", or "" for the language of the material.
	Locale string
}
