package client

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Keeper is where answers are kept: in this process, or in Redis for all
// replicas. It may forget anything at any time, and never fails: what can't be
// reached keeps nothing.
type Keeper interface {
	Get(ctx context.Context, key string) ([]byte, bool)
	Put(ctx context.Context, key string, value []byte, life time.Duration)
	Drop(ctx context.Context, keys ...string)
	// Shared reports whether the other replicas see the same.
	Shared() bool
}

// lives are how old answers may be.
type lives struct {
	// fresh answers are given as they are.
	fresh time.Duration
	// renewed ones are given too, while new ones are fetched.
	renewed time.Duration
	// stale ones are given when the academy can't be asked.
	stale time.Duration
}

// Cache remembers answers of one kind. Equal questions at the same time are
// asked once.
type Cache[T any] struct {
	kind   string
	keeper Keeper
	lives  lives
	// mayKeep keeps answers about people who are being erased out.
	mayKeep func(id string) bool
	flight  singleflight.Group
	now     func() time.Time
	// renewals run beside their requests; stop ends them.
	renewals sync.WaitGroup
	stopped  context.Context //nolint:containedctx // of what runs in the background
}

type entry[T any] struct {
	Value T     `json:"v"`
	OK    bool  `json:"ok"`
	At    int64 `json:"at"` // when it was asked for, in microseconds
}

// newCache makes a cache; renewals end with stopped.
func newCache[T any](stopped context.Context, kind string, keeper Keeper, l lives, mayKeep func(string) bool) *Cache[T] {
	return &Cache[T]{kind: kind, keeper: keeper, lives: l, mayKeep: mayKeep, now: time.Now, stopped: stopped}
}

type asker[T any] func(ctx context.Context, id string) (T, bool, error)

// Get answers from the cache or by asking; ok is false when there is none.
func (c *Cache[T]) Get(ctx context.Context, id string, ask asker[T]) (T, bool, error) {
	known, have := c.read(ctx, id)
	age := c.now().Sub(time.UnixMicro(known.At))
	switch {
	case have && age < c.lives.fresh:
		return known.Value, known.OK, nil
	case have && age < c.lives.renewed:
		c.renew(id, ask)
		return known.Value, known.OK, nil
	}
	// The question outlives the one who asked first: others wait for it too.
	asked := c.flight.DoChan(id, func() (any, error) { return c.ask(id, ask) })
	var err error
	select {
	case result := <-asked:
		if result.Err == nil {
			e := result.Val.(entry[T]) //nolint:forcetypeassert // made by ask
			return e.Value, e.OK, nil
		}
		err = result.Err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if have && age < c.lives.stale {
		return known.Value, known.OK, nil
	}
	var none T
	return none, false, err
}

// renew fetches a new answer for later, beside the request.
func (c *Cache[T]) renew(id string, ask asker[T]) {
	if c.stopped.Err() != nil {
		return
	}
	c.renewals.Go(func() { _, _, _ = c.flight.Do(id, func() (any, error) { return c.ask(id, ask) }) })
}

func (c *Cache[T]) ask(id string, ask asker[T]) (any, error) {
	at := c.now()
	value, ok, err := ask(c.stopped, id)
	if err != nil {
		return nil, err
	}
	e := entry[T]{Value: value, OK: ok, At: at.UnixMicro()}
	c.write(c.stopped, id, e)
	return e, nil
}

// Learn remembers what the academy said unasked; nil forgets what was known.
func (c *Cache[T]) Learn(ctx context.Context, id string, value *T) {
	c.flight.Forget(id)
	c.keeper.Drop(ctx, c.key(id))
	if value != nil {
		c.write(ctx, id, entry[T]{Value: *value, OK: true, At: c.now().UnixMicro()})
	}
}

// wait waits for renewals after stopped has ended.
func (c *Cache[T]) wait() { c.renewals.Wait() }

func (c *Cache[T]) key(id string) string { return "academy:" + c.kind + ":" + id }

func (c *Cache[T]) read(ctx context.Context, id string) (e entry[T], have bool) {
	data, have := c.keeper.Get(ctx, c.key(id))
	if !have || json.Unmarshal(data, &e) != nil {
		return entry[T]{}, false
	}
	return e, true
}

// write keeps an answer, unless a newer one is kept: a question may be
// overtaken by what the academy says unasked.
func (c *Cache[T]) write(ctx context.Context, id string, e entry[T]) {
	if newer, have := c.read(ctx, id); have && newer.At > e.At {
		return
	}
	data, err := json.Marshal(e)
	if err != nil {
		return // an answer was read from JSON before
	}
	c.keeper.Put(ctx, c.key(id), data, c.lives.stale)
	if !c.mayKeep(id) {
		c.keeper.Drop(ctx, c.key(id)) // erased meanwhile
	}
}
