package client

import (
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

// Cache remembers answers: fresh ones are given at once, older ones only when
// the academy can't be asked. Equal questions at the same time are asked once.
type Cache[T any] struct {
	fresh   time.Duration
	stale   time.Duration
	entries *lru.Cache[string, entry[T]]
	flight  singleflight.Group
	now     func() time.Time
}

type entry[T any] struct {
	value T
	ok    bool
	at    time.Time
}

// NewCache makes a cache of at most size answers.
func NewCache[T any](size int, fresh, stale time.Duration) (*Cache[T], error) {
	entries, err := lru.New[string, entry[T]](size)
	if err != nil {
		return nil, err
	}
	return &Cache[T]{fresh: fresh, stale: stale, entries: entries, now: time.Now}, nil
}

// Get answers from the cache or by asking; ok is false when there is none.
func (c *Cache[T]) Get(ctx context.Context, key string, ask func(context.Context, string) (T, bool, error)) (T, bool, error) {
	known, have := c.entries.Get(key)
	if have && c.now().Sub(known.at) < c.fresh {
		return known.value, known.ok, nil
	}
	// The question outlives the one who asked first: others wait for it too.
	asked := c.flight.DoChan(key, func() (any, error) {
		value, ok, err := ask(context.WithoutCancel(ctx), key)
		if err != nil {
			return nil, err
		}
		e := entry[T]{value: value, ok: ok, at: c.now()}
		c.entries.Add(key, e)
		return e, nil
	})
	var err error
	select {
	case result := <-asked:
		if result.Err == nil {
			e := result.Val.(entry[T]) //nolint:forcetypeassert // made above
			return e.value, e.ok, nil
		}
		err = result.Err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if have && c.now().Sub(known.at) < c.stale {
		return known.value, known.ok, nil
	}
	var none T
	return none, false, err
}
