package cache

import (
	"context"
	"time"
)

// Notice is what was invalidated, for the other replicas where no Redis tells
// them.
type Notice struct {
	Keys    []Key         `json:"keys,omitempty"`
	Subject string        `json:"subject,omitempty"`
	Space   string        `json:"space,omitempty"`
	Refuse  time.Duration `json:"refuse,omitempty"`
}

// Tell has a function called with what is invalidated here, to hand it to the
// other replicas' Heard. With Redis that isn't needed for what is in Redis, but
// for what they remember while it is away. Wiring time only.
func (c *Cache) Tell(tell func(Notice)) { c.tell = tell }

// Heard takes another replica's notice.
func (c *Cache) Heard(n Notice) {
	_ = apply(context.Background(), c.memory, n) //nolint:forbidigo // memory waits for nobody
}

// Missed is for when notices may have been lost: what this process remembers is
// forgotten.
func (c *Cache) Missed() { c.memory.clear() }

func (c *Cache) invalidate(ctx context.Context, n Notice) {
	_ = apply(ctx, c.memory, n)
	if c.redis != nil {
		c.redis.invalidate(ctx, n)
	}
	if c.tell != nil {
		c.tell(n)
	}
}

// apply does what a notice says; an error is Redis's.
func apply(ctx context.Context, s dropper, n Notice) error {
	if len(n.Keys) > 0 {
		if err := s.drop(ctx, n.Keys...); err != nil {
			return err
		}
	}
	if n.Space != "" {
		if err := s.dropSpace(ctx, n.Space); err != nil {
			return err
		}
	}
	switch {
	case n.Subject == "":
		return nil
	case n.Refuse > 0:
		return s.refuse(ctx, n.Subject, n.Refuse)
	default:
		return s.dropSubject(ctx, n.Subject)
	}
}
