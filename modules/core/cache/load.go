package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Life is how old an answer may be.
type Life struct {
	// Fresh answers are given as they are. Required.
	Fresh time.Duration
	// Usable ones are given too, while a new one is loaded beside. Defaults to
	// Fresh.
	Usable time.Duration
	// Kept is how long an answer is kept for when a new one can't be loaded, or not
	// while the one who asks waits. Defaults to Usable.
	Kept time.Duration
	// Missing is how long it is remembered that there is none. Defaults to not at
	// all.
	Missing time.Duration
	// Loading bounds a load. Defaults to 10 s.
	Loading time.Duration
}

// ErrNone is a loader's answer that there is nothing, and Load's.
var ErrNone = errors.New("there is none")

// retryAfter is how long a refresh that failed is left alone.
const retryAfter = 5 * time.Second

// maxFailing is of how many keys that is known.
const maxFailing = 10_000

// entry is how an answer is kept.
type entry struct {
	// Value is null when there is none.
	Value json.RawMessage `json:"v,omitempty"`
	None  bool            `json:"none,omitempty"`
	// Fresh and Usable are until when, in milliseconds.
	Fresh  int64 `json:"fresh"`
	Usable int64 `json:"usable"`
}

// Load gives the answer that is kept, or loads and keeps it; equal questions in
// this process at the same time load once. An answer that is no longer fresh but
// usable is given at once, and renewed beside; when that fails, the old one is
// given for as long as it is usable. One that is only kept is given when loading
// fails. ErrNone of the loader (it may be wrapped) is an answer, too. A load goes
// on when the one who asked gives up: others wait.
func Load[T any](ctx context.Context, c *Cache, k Key, life Life, load func(context.Context) (T, error)) (T, error) {
	var none T
	life.Loading = orDefault(life.Loading, 10*time.Second)
	raw, mark := c.get(ctx, k)
	old, kept := readEntry(raw)
	last, said := decode[T](old)
	kept = kept && (said == nil || errors.Is(said, ErrNone))
	if now := time.Now().UnixMilli(); kept && now < max(old.Usable, old.Fresh) {
		if now >= old.Fresh {
			c.refresh(k, func(ctx context.Context) error { _, err := fill(ctx, c, k, life, mark, load); return err }, life) //nolint:contextcheck // it goes on without the request
		}
		return last, said
	}
	//nolint:contextcheck // the same
	loaded := c.flight.DoChan(flightKey(k), func() (any, error) {
		ctx, cancel := context.WithTimeout(c.ctx, life.Loading)
		defer cancel()
		// The flight before may have landed since the first look.
		raw, mark := c.get(ctx, k)
		if e, ok := readEntry(raw); ok && time.Now().UnixMilli() < e.Fresh {
			return decode[T](e)
		}
		return fill(ctx, c, k, life, mark, load)
	})
	select {
	case result := <-loaded:
		value, ok := result.Val.(T)
		switch {
		case result.Err == nil && !ok:
			return none, fmt.Errorf("cache: %s/%s holds answers of two types", k.Space, k.Name)
		case result.Err != nil && !errors.Is(result.Err, ErrNone) && kept:
			return last, said
		}
		return value, result.Err
	case <-ctx.Done():
		if kept {
			return last, said
		}
		return none, ctx.Err()
	}
}

// Keep puts an answer that was learnt unasked.
func Keep[T any](ctx context.Context, c *Cache, k Key, life Life, value T) {
	_, mark := c.get(ctx, k)
	keep(ctx, c, k, life, mark, value)
}

// fill loads an answer and keeps it.
func fill[T any](ctx context.Context, c *Cache, k Key, life Life, mark string, load func(context.Context) (T, error)) (T, error) {
	value, err := load(ctx)
	switch {
	case err == nil:
		keep(ctx, c, k, life, mark, value)
	case errors.Is(err, ErrNone) && life.Missing > 0:
		missing := Life{Fresh: life.Missing, Kept: life.Kept}
		c.putEntry(ctx, k, entry{None: true}, missing, mark)
	}
	return value, err
}

func keep[T any](ctx context.Context, c *Cache, k Key, life Life, mark string, value T) {
	raw, err := json.Marshal(value)
	if err != nil {
		c.logger.Error("an answer can't be kept", "space", k.Space, "error", err)
		return
	}
	c.putEntry(ctx, k, entry{Value: raw}, life, mark)
}

func (c *Cache) putEntry(ctx context.Context, k Key, e entry, life Life, mark string) {
	now := time.Now()
	usable := max(life.Fresh, life.Usable)
	e.Fresh, e.Usable = now.Add(life.Fresh).UnixMilli(), now.Add(usable).UnixMilli()
	if raw, err := json.Marshal(e); err == nil {
		c.put(ctx, k, raw, max(usable, life.Kept), mark)
	}
}

// refresh renews an answer beside the request, one at a time.
func (c *Cache) refresh(k Key, fill func(context.Context) error, life Life) {
	if until, failed := c.failing.Get(k); failed {
		if time.Now().Before(until) {
			return
		}
		c.failing.Remove(k)
	}
	if c.ctx.Err() != nil {
		return
	}
	c.background.Go(func() {
		_, _, _ = c.flight.Do(flightKey(k)+"\x00refresh", func() (any, error) {
			ctx, cancel := context.WithTimeout(c.ctx, life.Loading)
			defer cancel()
			if err := fill(ctx); err != nil && !errors.Is(err, ErrNone) && c.ctx.Err() == nil {
				c.failing.Add(k, time.Now().Add(retryAfter))
				time.AfterFunc(retryAfter, func() { c.failing.Remove(k) })
				c.logger.Debug("an answer could not be renewed, the old one is given", "space", k.Space, "error", err)
			}
			return nil, nil
		})
	})
}

func flightKey(k Key) string { return k.Space + "\x00" + k.Subject + "\x00" + k.Name }

func readEntry(raw []byte) (e entry, ok bool) {
	return e, raw != nil && json.Unmarshal(raw, &e) == nil
}

func decode[T any](e entry) (value T, err error) {
	if e.None {
		return value, ErrNone
	}
	return value, json.Unmarshal(e.Value, &value)
}
