package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync/atomic"
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
	// keptAnswers is how many tokens' answers are kept, and keptRefusals how many
	// refusals, apart: anybody can make up tokens.
	keptAnswers, keptRefusals = 20_000, 5_000
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
	flight singleflight.Group
	slots  chan struct{}

	kept, refused *lru.Cache[[sha256.Size]byte, vouched]
	// news counts what was forgotten: an answer from before is not kept.
	news atomic.Uint64
}

// vouched is what the issuer said of a token.
type vouched struct {
	actor   Actor
	refused error
	until   time.Time
}

// NewAsked makes a verifier that takes an answer for at most life.
func NewAsked(ask Introspector, checks Checks, life time.Duration) *Asked {
	v := &Asked{ask: ask, checks: checks, life: min(life, maxAsked), slots: make(chan struct{}, askedAtOnce)}
	var err, err2 error
	v.kept, err = lru.New[[sha256.Size]byte, vouched](keptAnswers)
	v.refused, err2 = lru.New[[sha256.Size]byte, vouched](keptRefusals)
	if err := errors.Join(err, err2); err != nil {
		panic(err) // the sizes are constants above 0
	}
	return v
}

// Verify implements Verifier.
func (v *Asked) Verify(ctx context.Context, token string) (Actor, error) {
	if len(token) > MaxToken || token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Actor{}, ErrMalformed.New()
	}
	id := sha256.Sum256([]byte(token))
	for _, answers := range []*lru.Cache[[sha256.Size]byte, vouched]{v.kept, v.refused} {
		if known, ok := answers.Get(id); ok && time.Now().Before(known.until) {
			return known.actor, known.refused
		}
	}
	// The question outlives the one who asked first: others wait for it too.
	asked := v.flight.DoChan(string(id[:]), func() (any, error) {
		before := v.news.Load()
		answer, err := v.question(context.WithoutCancel(ctx), token)
		if err == nil {
			v.keep(id, answer, before)
		}
		return answer, err
	})
	select {
	case result := <-asked:
		if result.Err != nil {
			return Actor{}, result.Err
		}
		answer := result.Val.(vouched) //nolint:forcetypeassert // made above
		return answer.actor, answer.refused
	case <-ctx.Done():
		return Actor{}, ctx.Err()
	}
}

// keep remembers an answer, unless there was news since it was asked for.
func (v *Asked) keep(id [sha256.Size]byte, answer vouched, before uint64) {
	if answer.refused != nil {
		v.refused.Add(id, answer)
		return
	}
	v.kept.Add(id, answer)
	if v.news.Load() != before {
		v.kept.Remove(id)
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
	v.news.Add(1)
	for _, id := range v.kept.Keys() {
		if known, ok := v.kept.Peek(id); ok && known.actor.UserID == userID {
			v.kept.Remove(id)
		}
	}
}
