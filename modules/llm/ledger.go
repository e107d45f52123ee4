package llm

import (
	"context"
	"time"

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

// Terms are what a person or a course set; they hold besides the configuration.
type Terms struct {
	// LocalOnly keeps the texts on this machine.
	LocalOnly bool
	// Learner and Course are caps in place of the configured ones; nil for none.
	Learner, Course *int64
}

// TermsSource finds what holds for a caller.
type TermsSource interface {
	Terms(ctx context.Context, c Caller) (Terms, error)
}

// Memory keeps answers to requests that may come again, for one person each.
type Memory interface {
	// Recall returns nil when nothing is known under the key.
	Recall(ctx context.Context, key []byte) (*Answer, error)
	Remember(ctx context.Context, userID string, key []byte, a *Answer, lasts time.Duration) error
}
