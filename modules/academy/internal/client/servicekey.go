package client

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// keyHeld is how long a service key that the academy took counts as good.
const keyHeld = time.Minute

// serviceKey is what is known of this server's key. An academy may refuse a
// token and the key that came with it in the same words; a lookup, where nothing
// but the key can be refused, tells which it was.
type serviceKey struct {
	pause  time.Duration
	flight singleflight.Group

	mu      sync.Mutex
	until   time.Time
	refused error
}

// known gives what is known now: whether anything, and how the key was refused.
func (k *serviceKey) known() (is bool, refused error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return time.Now().Before(k.until), k.refused
}

func (k *serviceKey) learn(refused error, life time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refused, k.until = refused, time.Now().Add(life)
}

// keyHolds is nil when the academy takes this server's key, else why it doesn't
// or can't be asked.
func (c *Client) keyHolds(ctx context.Context) error {
	if is, refused := c.service.known(); is {
		return refused
	}
	asked := c.service.flight.DoChan("", func() (any, error) {
		_, err := c.ask(context.WithoutCancel(ctx), c.lookups, http.MethodGet, "/api/courses/there-is-no-such-course", nil)
		var refused *refusedError
		switch {
		case err == nil || errors.Is(err, errNone):
			c.service.learn(nil, keyHeld)
			return nil, nil //nolint:nilnil // the key is taken
		case errors.As(err, &refused) && refused.unknownKey():
			c.service.learn(err, c.service.pause)
		}
		return nil, err
	})
	select {
	case result := <-asked:
		return result.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}
