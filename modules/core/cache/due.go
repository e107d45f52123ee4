package cache

import (
	"context"
	"time"

	"github.com/redis/rueidis"
)

const (
	// maxDue is how many notices wait for a Redis that is away; then all that it
	// holds is forgotten.
	maxDue = 1000
	// settleTime bounds one attempt to do what is due. What was done stays done.
	settleTime = 30 * time.Second
	// everySpace matches all spaces of Redis.
	everySpace = "*"
)

// owe notes what could not be invalidated.
func (r *redis) owe(n Notice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.due) < maxDue || n.Refuse > 0 {
		r.due = append(r.due, n)
		return
	}
	if r.due[len(r.due)-1].Space == everySpace {
		return
	}
	// The first may be in work.
	kept := r.due[:1]
	for _, old := range r.due[1:] {
		if old.Refuse > 0 {
			kept = append(kept, old)
		}
	}
	r.due = append(kept, Notice{Space: everySpace})
}

func (r *redis) owed() (first Notice, is bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.due) == 0 {
		return Notice{}, false
	}
	return r.due[0], true
}

// settle invalidates what could not be while Redis was away. It takes as long as
// it takes; nobody waits for it longer than ctx.
func (r *redis) settle(ctx context.Context, client rueidis.Client) error {
	if _, is := r.owed(); !is {
		return nil
	}
	settled := r.settling.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
		defer cancel()
		for {
			n, is := r.owed()
			if !is {
				return nil, nil //nolint:nilnil // all is done
			}
			if err := apply(ctx, connected{client}, n); err != nil {
				return nil, err
			}
			r.mu.Lock()
			r.due = r.due[1:]
			r.mu.Unlock()
		}
	})
	select {
	case result := <-settled:
		return result.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}
