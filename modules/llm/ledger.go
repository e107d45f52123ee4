package llm

import (
	"context"

	"github.com/google/uuid"
)

// Entry is one call of a provider in the ledger.
type Entry struct {
	Caller
	Purpose Purpose
	Source
	PriceVersion string
	InputTokens  int
	OutputTokens int
	CostMicros   int64
}

// Caps are daily bounds in millionths of a US dollar; -1 is none.
type Caps struct {
	Learner, Course, Team int64
}

// Ledger keeps what calls cost. The store is one; tests have one in memory.
type Ledger interface {
	// Reserve writes an estimate if no cap is passed by it, else answers
	// ErrOverBudget. Calls that cost nothing pass no cap.
	Reserve(ctx context.Context, e Entry, caps Caps) (uuid.UUID, error)
	// Settle puts what the call really took in the place of the estimate.
	Settle(ctx context.Context, id uuid.UUID, e Entry) error
	// Release takes an estimate back: the provider billed nothing.
	Release(ctx context.Context, id uuid.UUID) error
}
