package auth

import (
	"context"
	"sync"
)

// Revocations know whose tokens hold no longer, whatever they say: people who
// are being erased. It is asked with every request, also about tokens that
// were taken before, so what it calls must be quick: a look into memory.
type Revocations struct {
	mu     sync.RWMutex
	checks []func(userID string) bool
	heard  []func(userID string)
}

// NewRevocations makes one that revokes nobody.
func NewRevocations() *Revocations { return &Revocations{} }

// Check adds a source of revocations.
func (r *Revocations) Check(revoked func(userID string) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checks = append(r.checks, revoked)
}

// Hear has fn called whenever a person's tokens have been revoked, or what was
// known of them has changed: for caches and open sockets. fn must return fast.
func (r *Revocations) Hear(fn func(userID string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = append(r.heard, fn)
}

// Tell calls those who hear: the sources do so as soon as they know.
func (r *Revocations) Tell(userID string) {
	r.mu.RLock()
	heard := r.heard
	r.mu.RUnlock()
	for _, fn := range heard {
		fn(userID)
	}
}

// Revoked reports whether the person's tokens hold no longer. A nil
// *Revocations revokes nobody.
func (r *Revocations) Revoked(userID string) bool {
	if r == nil {
		return false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, revoked := range r.checks {
		if revoked(userID) {
			return true
		}
	}
	return false
}

// Rechecker is a Verifier that looks again at an actor whom it let in before:
// calls in process bring the actor of the socket that they came by.
type Rechecker interface {
	Recheck(ctx context.Context, actor Actor) error
}

// Refusing is the verifier, but for those who are revoked.
func Refusing(verifier Verifier, revocations *Revocations) Verifier {
	if asked, ok := verifier.(*Asked); ok {
		revocations.Hear(asked.Forget)
	}
	return refusing{verifier, revocations}
}

type refusing struct {
	Verifier
	revocations *Revocations
}

// Verify implements Verifier.
func (v refusing) Verify(ctx context.Context, token string) (Actor, error) {
	actor, err := v.Verifier.Verify(ctx, token)
	if err != nil {
		return Actor{}, err
	}
	if err := v.refuse(actor); err != nil {
		return Actor{}, err
	}
	return actor, nil
}

// Recheck implements Rechecker.
func (v refusing) Recheck(ctx context.Context, actor Actor) error {
	if err := v.refuse(actor); err != nil {
		return err
	}
	if again, ok := v.Verifier.(Rechecker); ok {
		return again.Recheck(ctx, actor)
	}
	return nil
}

func (v refusing) refuse(actor Actor) error {
	if !actor.IsSystem() && v.revocations.Revoked(actor.UserID) {
		return ErrRevoked.New()
	}
	return nil
}
