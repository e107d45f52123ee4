package client

import (
	"context"
	"errors"
	"time"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/cache"
)

// renewedFor is for how many of its lives an answer is given while a new one is
// fetched; an older one only when the academy can't be asked.
const renewedFor = 10

// answers remembers the academy's answers of one kind.
type answers[T any] struct {
	kind  string
	cache *cache.Cache
	life  cache.Life
	// mayKeep keeps answers about people who are being erased out.
	mayKeep func(id string) bool
}

func newAnswers[T any](kind string, c *cache.Cache, cfg academy.Config, mayKeep func(string) bool) *answers[T] {
	return &answers[T]{
		kind: kind, cache: c, mayKeep: mayKeep,
		life: cache.Life{
			Fresh: cfg.CacheLife, Usable: renewedFor * cfg.CacheLife, Kept: cfg.StaleLife, Missing: cfg.CacheLife,
			Loading: attempts*cfg.Timeout + time.Second,
		},
	}
}

type asker[T any] func(ctx context.Context, id string) (T, bool, error)

// get answers from what is remembered or by asking; ok is false when there is
// none.
func (a *answers[T]) get(ctx context.Context, id string, ask asker[T]) (value T, ok bool, err error) {
	value, err = cache.Load(ctx, a.cache, a.key(id), a.life, func(ctx context.Context) (T, error) {
		value, ok, err := ask(ctx, id)
		if err == nil && (!ok || !a.mayKeep(id)) {
			err = cache.ErrNone
		}
		return value, err
	})
	if errors.Is(err, cache.ErrNone) {
		return value, false, nil
	}
	return value, err == nil, err
}

// learn remembers what the academy said unasked; nil forgets what was known.
func (a *answers[T]) learn(ctx context.Context, id string, value *T) {
	a.cache.Drop(ctx, a.key(id))
	if value != nil && a.mayKeep(id) {
		cache.Keep(ctx, a.cache, a.key(id), a.life, *value)
	}
}

func (a *answers[T]) key(id string) cache.Key {
	return cache.Key{Space: "academy." + a.kind, Subject: id}
}
