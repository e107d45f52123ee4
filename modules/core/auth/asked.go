package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/goals-tracker/tracker/modules/core/errs"
)

const (
	// maxAsked is how long the issuer's word on a token may hold.
	maxAsked = 60 * time.Second
	// refusedFor is how long a token that was refused is refused again unasked.
	refusedFor = 5 * time.Second
	// keptAnswers is how many tokens' answers are kept.
	keptAnswers = 20_000
	// askedAtOnce is how many tokens are asked about at the same time.
	askedAtOnce = 32
)

// Asked verifies tokens by asking their issuer. What it says holds for a
// moment; when it can't be asked, nobody is let in whom it hasn't just vouched
// for.
type Asked struct {
	ask    Introspector
	checks Checks
	life   time.Duration
	kept   *lru.Cache[[sha256.Size]byte, vouched]
	flight singleflight.Group
	slots  chan struct{}
}

// vouched is what the issuer said of a token.
type vouched struct {
	actor   Actor
	refused error
	until   time.Time
}

// NewAsked makes a verifier that takes an answer for at most life.
func NewAsked(ask Introspector, checks Checks, life time.Duration) *Asked {
	kept, err := lru.New[[sha256.Size]byte, vouched](keptAnswers)
	if err != nil {
		panic(err) // the size is a constant above 0
	}
	return &Asked{ask: ask, checks: checks, life: min(life, maxAsked), kept: kept, slots: make(chan struct{}, askedAtOnce)}
}

// Verify implements Verifier.
func (v *Asked) Verify(ctx context.Context, token string) (Actor, error) {
	if len(token) > MaxToken || token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Actor{}, ErrMalformed.New()
	}
	id := sha256.Sum256([]byte(token))
	if known, ok := v.kept.Get(id); ok && time.Now().Before(known.until) {
		return known.actor, known.refused
	}
	// The question outlives the one who asked first: others wait for it too.
	asked := v.flight.DoChan(string(id[:]), func() (any, error) { return v.question(context.WithoutCancel(ctx), token) })
	select {
	case result := <-asked:
		if result.Err != nil {
			return Actor{}, result.Err
		}
		answer := result.Val.(vouched) //nolint:forcetypeassert // made below
		v.kept.Add(id, answer)
		return answer.actor, answer.refused
	case <-ctx.Done():
		return Actor{}, ctx.Err()
	}
}

// question asks the issuer; what it refuses is an answer, what keeps it from
// answering an error.
func (v *Asked) question(ctx context.Context, token string) (vouched, error) {
	ctx, cancel := context.WithTimeout(ctx, maxAsked/4)
	defer cancel()
	select {
	case v.slots <- struct{}{}:
		defer func() { <-v.slots }()
	case <-ctx.Done():
		return vouched{}, busy(ctx.Err())
	}
	now := time.Now()
	actor, err := v.answer(ctx, token)
	var refusal *errs.Error
	switch {
	case err == nil:
		until := now.Add(v.life)
		if actor.ExpiresAt.Before(until) {
			until = actor.ExpiresAt
		}
		return vouched{actor: actor, until: until}, nil
	case errors.As(err, &refusal) && refusal.Kind.Code != errs.Unavailable:
		return vouched{refused: err, until: now.Add(refusedFor)}, nil
	default:
		return vouched{}, err
	}
}

func (v *Asked) answer(ctx context.Context, token string) (Actor, error) {
	data, err := v.ask.Introspect(ctx, token)
	if err != nil {
		return Actor{}, err
	}
	claims, err := ReadClaims(data, v.checks)
	if err != nil {
		return Actor{}, err
	}
	return claims.Actor()
}

// Forget drops what was said of a person's tokens, when something has changed
// about them.
func (v *Asked) Forget(userID string) {
	for _, id := range v.kept.Keys() {
		if known, ok := v.kept.Peek(id); ok && known.actor.UserID == userID {
			v.kept.Remove(id)
		}
	}
}
